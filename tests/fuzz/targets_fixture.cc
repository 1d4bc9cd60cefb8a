#include <cstdlib>
#include <filesystem>
#include <string>

#include "answers/automatic.h"
#include "answers/compare.h"
#include "answers/extract.h"
#include "data/rows.h"
#include "json/strict.h"
#include "programs/code.h"
#include "schema/codec.h"
#include "tests/fuzz/refusal.h"
#include "tests/fuzz/target.h"
#include "text/tokenizer.h"

namespace autodidact::fuzz {
namespace {

// The bytes up to and after the first zero byte.
void RunMathematics(std::string_view bytes) {
  const std::size_t at = bytes.find('\0');
  const std::string_view left = bytes.substr(0, at);
  const std::string_view right = at == std::string_view::npos ? std::string_view("1") : bytes.substr(at + 1);
  const bool equal = answers::Equal(answers::Comparator::kMathematics, left, right);
  Require(equal == answers::Equal(answers::Comparator::kMathematics, right, left), "equality is symmetric");
  Require(answers::Equal(answers::Comparator::kMathematics, left, left), "an answer equals itself");
}

void RunExtraction(std::string_view bytes) {
  for (const auto extractor : {answers::Extractor::kBoxed, answers::Extractor::kLastNumber,
                               answers::Extractor::kAfterHashes, answers::Extractor::kWholeText}) {
    const auto answer = answers::Extract(extractor, bytes);
    Require(!answer || !answer->empty(), "an answer is not empty");
  }
  answers::FindStated(bytes);
  for (const std::string& answer :
       answers::ReferenceAnswers(answers::Extractor::kLastNumber,
                                 answers::LabelText(answers::Extractor::kLastNumber, {std::string(bytes)}))) {
    Require(!answer.empty(), "an answer is not empty");
  }
  for (const auto& block : programs::ReadCodeText(bytes).blocks) {
    Require(block.text.size() <= bytes.size() + 1, "a block is a part of its text");
  }
}

void RunJson(std::string_view bytes) {
  MayRefuse([&] {
    const json::Json value = json::Parse(bytes, "fuzz");
    const std::string written = json::Dump(value);
    Require(written.find('\n') == std::string::npos, "a value is one line");
    Require(json::Dump(json::Parse(written, "fuzz")) == written, "what was written is read as it is");
  });
  MayRefuse([&] {
    const std::string written = json::Dump(json::ParseStrict(bytes, "fuzz"));
    Require(json::Dump(json::ParseStrict(written, "fuzz")) == written, "numbers keep their digits");
  });
}

void RunRows(std::string_view bytes) {
  const auto file = AsFile(bytes, "_rows.jsonl");
  MayRefuse([&] { data::ReadRows(file); });
  MayRefuse([&] { data::ReadPairs(file); });
  std::filesystem::remove(file);
}

void RunTokenizer(std::string_view bytes) {
  const auto file = AsFile(bytes, "_tokenizer.json");
  MayRefuse([&] {
    const text::Tokenizer tokenizer(file);
    MayRefuse([&] { tokenizer.Decode(tokenizer.Encode("a b\xc3\xa4\xff 12")); });
  });
  std::filesystem::remove(file);
}

void RunCodec(std::string_view bytes) {
  MayRefuse([&] {
    const schema::Message message = schema::Decode(bytes);
    const std::string again = schema::Encode(message);
    Require(schema::Encode(schema::Decode(again)) == again, "what was encoded is decoded as it is");
  });
}

std::vector<std::string> CodecSeeds() {
  const schema::Rollout rollout{.ids = {5, 6, 2},
                                .logprobs = {-0.5f, -1.25f, -0.125f},
                                .sampled_logprobs = {-0.25f, -1.0f, 0.0f},
                                .text = "four"};
  schema::Reference reference;
  reference.text = "four";
  schema::Prompt prompt{.id = "1", .text = "2+2", .messages = {{"user", "2+2"}}, .variables = "{}"};
  schema::WeightPart part;
  part.tensors = {{"w", schema::ElementType::kBFloat16, {2, 3}}};
  part.payload = "abcdefghijkl";
  return {
      schema::Encode(schema::LeaseReply{.leases = {{.ticket = 4, .prompt = prompt}}}),
      schema::Encode(schema::ScoredGroup{.actor = "a",
                                         .group = {.ticket = 4, .prompt_ids = {1, 2}, .rollouts = {rollout, rollout}},
                                         .reference = reference,
                                         .rewards = {1.0, base::Failure{}}}),
      schema::Encode(schema::SynthesisRequest{4, {"four", "4"}}), schema::Encode(part),
      schema::Encode(schema::FailureReply{{base::ErrorKind::kRetryLater, "full"}})};
}

const std::string kZero(1, '\0');

}  // namespace

const std::vector<Target>& Targets() {
  static const std::vector<Target> kTargets = {
      {"mathematics",
       RunMathematics,
       {"\\frac{1}{2}" + kZero + "0.5", "(-\\infty,3]\\cup[4,5)" + kZero + "x \\le 3 \\text{ or } 4 \\le x < 5",
        "x^2+2x+1" + kZero + "(x+1)^2",
        "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}^2" + kZero + "\\{1\\pm\\sqrt{5},-2\\}",
        "52_8, 10{,}000 \\text{ cm}" + kZero + "50\\% = 2^{10^{10}}", "3:4" + kZero + "f(x) = |x| \\approx 7!"},
       {"{",
        "}",
        "\\frac",
        "\\sqrt[3]",
        "^",
        "_",
        "\\pm",
        "\\left(",
        "\\right]",
        "(",
        "\\cup",
        "9999999999",
        "!",
        "\\text{",
        "\\begin{pmatrix}",
        "\\end{pmatrix}",
        "&",
        "\\\\",
        "\\binom",
        "\\approx",
        "=",
        "e99",
        "\xe2\x88\x9a",
        "$",
        ",",
        ";"}},
      {"extraction",
       RunExtraction,
       {"so \\boxed{\\frac{1}{\\{2\\}}} or \\fbox{3}", "it is -$1,234.50e-3.\n#### 72\n",
        "The answer is $x = 3$.\n```python\nf(1)\n```\n```inputs\n\"a\\n\"\n```"},
       {"\\boxed{", "}", "####", "```", "$", "\\(", "\\)", "answer is", "1,234", "\n", "\\"}},
      {"json",
       RunJson,
       {R"({"a": [1, -2.5e3, "\u00e4\n", null, true], "b": {"c": {}}})", "[[[[1e400]]]]", "\"\\ud800\""},
       {"{", "}", "[", "]", "\"", "\\u", "1e999", ",", ":", "null", "\xff"}},
      {"rows",
       RunRows,
       {"{\"id\": 1, \"prompt\": \"a\", \"answer\": \"b\"}\n{\"question\": \"c\", \"answers\": [1, \"d\"]}\n",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"label\": 3}\n"},
       {"\n", "{}", "\"prompt\"", "\"id\": 1", "\"messages\"", "[]", "null", ": ", "\"role\": \"tool\""}},
      {"tokenizer",
       RunTokenizer,
       {R"({"version": "1.0", "added_tokens": [{"id": 3, "content": "<s>", "special": true}],)"
        R"( "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "post_processor": null,)"
        R"( "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}})",
        R"({"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}]}, "pre_tokenizer": {"type": "Split",)"
        R"( "pattern": {"Regex": "\\p{L}+|\\d"}, "behavior": "Isolated"}, "model": {"type": "BPE", "unk_token": "u",)"
        R"( "byte_fallback": true, "vocab": {"u": 0, "1": 1, "<0x61>": 2}, "merges": []}})"},
       {"\"type\"", "\"BPE\"", "null", "{}", "[]", "-1", "99999999999", "\"merges\"", "\"vocab\"", "(((", "\"Regex\"",
        "\\"}},
      {"codec", RunCodec, CodecSeeds(), {kZero, "\xff\xff\xff\xff", std::string(8, '\0'), "\x01"}},
  };
  return kTargets;
}

const Target& TargetNamed(std::string_view name) {
  for (const Target& target : Targets()) {
    if (target.name == name) return target;
  }
  Require(false, "a target has this name");
  std::abort();
}

}  // namespace autodidact::fuzz

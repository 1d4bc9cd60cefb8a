#include <iostream>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "engine/engine.h"
#include "json/json.h"
#include "launch/commands.h"
#include "launch/wiring.h"
#include "model/folder.h"

namespace autodidact::launch {
namespace {

// Calls `answer` with each line's object and prints what it returns.
template <class Answer>
void ForEachLine(Answer answer) {
  std::int64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = base::Format("standard input:{}", number);
    const json::Json row = json::Parse(line, where);
    if (!row.is_object()) base::ThrowBadInput(where + ": got " + json::Describe(row) + ", expected an object");
    answer(row, where);
  }
}

void Print(const json::Json& value) {
  std::cout << json::Dump(value) << "\n" << std::flush;
}

std::vector<schema::TokenId> Ids(const json::Json& row, const char* key, const std::string& where) {
  std::vector<schema::TokenId> ids;
  for (const auto& id : row.at(key)) {
    if (!id.is_number_integer()) base::ThrowBadInput(where + ": " + key + ": expected a list of token ids");
    ids.push_back(id.get<schema::TokenId>());
  }
  return ids;
}

std::vector<text::ChatTurn> Turns(const json::Json& row, const std::string& where) {
  std::vector<text::ChatTurn> turns;
  for (const auto& message : row.at("messages")) {
    turns.push_back({json::GetString(message, "role", where), json::GetString(message, "content", where)});
  }
  return turns;
}

// {"messages"} by the model's chat format, {"prompt"} as a text of its own.
std::vector<schema::TokenId> PromptIds(const json::Json& row, const std::string& where, const LinesCommand& command,
                                       const text::Tokenizer& tokenizer) {
  if (row.contains("ids")) return Ids(row, "ids", where);
  if (row.contains("messages")) {
    const auto format = ToChatFormat({.format = command.format}, command.model);
    return tokenizer.Encode(text::RenderChat(format, Turns(row, where), /*add_generation_prompt=*/true),
                            /*add_special_tokens=*/format == text::ChatFormat::kPlain);
  }
  return tokenizer.Encode(json::GetString(row, "prompt", where));
}

}  // namespace

void RunTokenize(const LinesCommand& command) {
  const text::Tokenizer tokenizer(command.model);
  ForEachLine([&](const json::Json& row, const std::string& where) {
    if (command.decode) {
      Print({{"text", tokenizer.Decode(Ids(row, "ids", where), /*skip_special_tokens=*/command.special)}});
    } else if (row.contains("messages")) {
      Print({{"ids", PromptIds(row, where, command, tokenizer)}});
    } else {
      Print({{"ids", tokenizer.Encode(json::GetString(row, "text", where), command.special)}});
    }
  });
}

void RunGenerate(const LinesCommand& command) {
  UseThreads(command.threads);
  const LoadedModel model = LoadModelFolder(command.model, "cpu");
  engine::Engine engine({}, model.weights, *model.tokenizer);
  schema::Ticket ticket = 0;
  ForEachLine([&](const json::Json& row, const std::string& where) {
    engine::GroupRequest request{.ticket = ticket++,
                                 .prompt_ids = PromptIds(row, where, command, *model.tokenizer),
                                 .num_rollouts = static_cast<std::uint32_t>(command.n),
                                 .sampling = ToSampling(command.sampling),
                                 .seed = static_cast<std::uint64_t>(command.seed),
                                 .stream = base::RandomStream::kRollout};
    std::vector<engine::GroupRequest> requests;
    requests.push_back(std::move(request));
    auto results = engine::GenerateAll(engine, std::move(requests));
    if (!results.front().group.ok()) base::ThrowBadInput(where + ": " + results.front().group.failure().reason);
    for (const schema::Rollout& rollout : results.front().group->rollouts) {
      Print({{"completion", rollout.text},
             {"ids", rollout.ids},
             {"logprobs", rollout.logprobs},
             {"stop", schema::Name(rollout.stop)}});
    }
  });
}

void RunScore(const LinesCommand& command) {
  UseThreads(command.threads);
  const LoadedModel model = LoadModelFolder(command.model, "cpu");
  ForEachLine([&](const json::Json& row, const std::string& where) {
    std::vector<schema::TokenId> prefix, continuation;
    if (row.contains("completion")) {
      prefix = PromptIds(row, where, command, *model.tokenizer);
      continuation = model.tokenizer->Encode(json::GetString(row, "completion", where), /*add_special_tokens=*/false);
    } else {
      // The first id has nothing before it: every other one gets its log-probability.
      continuation = Ids(row, "ids", where);
      if (continuation.size() < 2) base::ThrowBadInput(where + ": ids: expected at least two");
      prefix = {continuation.front()};
      continuation.erase(continuation.begin());
    }
    if (prefix.empty() || continuation.empty()) base::ThrowBadInput(where + ": expected a prompt and a completion");
    const auto scores =
        engine::ScoreContinuations(*model.weights, prefix, {continuation}, command.sampling.temperature);
    Print({{"ids", continuation}, {"logprobs", scores.front()}});
  });
}

}  // namespace autodidact::launch

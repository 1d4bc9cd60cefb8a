#include "answers/automatic.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "answers/extract.h"
#include "answers/flat_text.h"
#include "answers/markdown.h"
#include "answers/prose.h"
#include "answers/stated_words.h"
#include "answers/text_util.h"
#include "answers/words.h"

namespace autodidact::answers {
namespace {

constexpr int kMostTried = 20;  // places of a text at which an answer is looked for, from its end

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<StatedAnswer> Read() const {
    if (auto announced = Announced()) return announced;
    const Part all{SkipSpaces(0, "\n\r"), flat().size()};
    std::string whole = Fold(text_.Restored(all.begin, all.end));
    if (whole.empty()) return std::nullopt;
    const bool sentence = IsSentence(text_.small()) || HasAny(text_.small(), all, kComesTo);
    if (!sentence) return OfLines(all);
    if (!unclear_) {
      if (auto concluded = Concluded()) return concluded;
    }
    return StatedAnswer{std::move(whole), {}, {}};
  }

 private:
  const std::string& flat() const { return text_.flat(); }
  std::string_view Small(Part part) const {
    return std::string_view(text_.small()).substr(part.begin, part.end - part.begin);
  }
  std::size_t SkipSpaces(std::size_t at, std::string_view further = {}) const {
    while (at < flat().size() &&
           (flat()[at] == ' ' || flat()[at] == '\t' || further.find(flat()[at]) != std::string_view::npos))
      ++at;
    return at;
  }

  // Of a text without sentences: its last paragraph where that is a value; values below each other are one answer.
  std::optional<StatedAnswer> OfLines(Part all) const {
    for (const std::string_view mark : {"=>", "=", "->", "\u2192"}) {
      if (flat().compare(all.begin, mark.size(), mark) == 0) all.begin = SkipSpaces(all.begin + mark.size());
    }
    const std::size_t last = flat().rfind("\n\n");
    if (last != std::string::npos && last > all.begin) {
      const std::size_t begin = SkipSpaces(last, "\n\r");
      if (begin < all.end && text_.ValueEnd(begin) == text_.SentenceEnd(begin)) all.begin = begin;
    }
    if (text_.SentenceEnd(all.begin) >= Trim(flat()).size()) return Split(all);
    return StatedAnswer{Joined(all), {}, {}};
  }

  // The lines of a part with commas between them, but for those that go on with "=".
  std::string Joined(Part part) const {
    std::string joined;
    for (std::size_t at = part.begin; at < part.end;) {
      const std::size_t end = std::min(flat().find('\n', at), part.end);
      const std::string line = text_.Restored(at, end);
      if (!line.empty()) joined += (joined.empty() ? "" : line[0] == '=' ? " " : ", ") + line;
      at = end + 1;
    }
    return joined;
  }

  // Whether what follows a value up to the end of its sentence leaves it what it is.
  bool IsHarmless(Part tail) const {
    const std::string_view text = Small(tail);
    const auto words = Words(text_.small(), tail);
    if (words.empty()) return text.find_first_of("+*/^=<>([{\\") == std::string_view::npos;
    const std::string_view first = Small(words.front());
    static constexpr std::string_view kAbout[] = {"about", "approximately", "roughly", "around"};
    if (first == "or" && words.size() > 1 && Contains(kAbout, Small(words[1]))) return true;
    if (Contains(kExplains, first)) return !HasAny(text_.small(), tail, kHedges);
    if (HasAny(text_.small(), tail, kHedges) || HasAny(text_.small(), tail, kContinues)) return false;
    for (std::size_t slash = text.find('/'); slash != std::string_view::npos; slash = text.find('/', slash + 1)) {
      const bool rate = slash > 1 && IsLetter(text[slash - 1]) && slash + 1 < text.size() && IsLetter(text[slash + 1]);
      if (!rate) return false;  // "km/h" is a unit
    }
    return text.find_first_of("0123456789+*^=<>\\\x02") == std::string_view::npos;
  }

  // A value with the words that follow it: its unit, or what it counts.
  StatedAnswer Split(Part part) const {
    if (auto larger = Multiplied(part)) return *larger;
    const std::size_t end = text_.ValueEnd(part.begin);
    StatedAnswer answer{text_.Restored(part.begin, part.end), {}, {}};
    if (end > part.begin && end < part.end && IsHarmless({end, part.end}))
      answer.bare = text_.Restored(part.begin, end);
    if (answer.bare == answer.text) answer.bare.clear();
    return answer;
  }

  // "5 million" as a product.
  std::optional<StatedAnswer> Multiplied(Part part) const {
    static constexpr std::pair<std::string_view, std::string_view> kFactors[] = {{"hundred", " \\cdot 10^{2}"},
                                                                                 {"thousand", " \\cdot 10^{3}"},
                                                                                 {"million", " \\cdot 10^{6}"},
                                                                                 {"billion", " \\cdot 10^{9}"},
                                                                                 {"trillion", " \\cdot 10^{12}"},
                                                                                 {"dozen", " \\cdot 12"},
                                                                                 {"percent", "\\%"},
                                                                                 {"squared", "^{2}"},
                                                                                 {"cubed", "^{3}"}};
    const std::size_t end = text_.ValueEnd(part.begin);
    if (end == part.begin) return std::nullopt;
    const auto words = Words(text_.small(), {end, std::max(end, part.end)});
    if (words.empty()) return std::nullopt;
    for (const auto& [word, factor] : kFactors) {
      if (Small(words.front()) == word)
        return StatedAnswer{"(" + text_.Restored(part.begin, end) + ")" + std::string(factor), {}, {}};
    }
    return std::nullopt;
  }

  std::optional<StatedAnswer> ValueAt(std::size_t at, std::size_t sentence_end) const {
    const std::size_t end = text_.ValueEnd(at);
    if (end == at || end > sentence_end) return std::nullopt;
    if (auto larger = Multiplied({at, sentence_end})) {
      const Part word = Words(text_.small(), {end, sentence_end}).front();
      return IsHarmless({word.end, sentence_end}) ? larger : std::nullopt;
    }
    if (!IsHarmless({end, sentence_end})) return std::nullopt;
    // The unit: the words up to the next mark or explanation.
    std::size_t unit = end;
    for (const Part& word : Words(text_.small(), {end, sentence_end})) {
      const std::string_view between = std::string_view(flat()).substr(unit, word.begin - unit);
      if (between.find_first_of(",;:()-") != std::string_view::npos || Contains(kExplains, Small(word))) break;
      unit = word.end;
    }
    return Split({at, unit});
  }

  // The value that the part of a sentence comes to: at its start, or after its last verb; else its only formula.
  std::optional<StatedAnswer> ValueOf(Part part) const {
    auto words = Words(text_.small(), part);
    while (!words.empty() && Contains(kConclusions, Small(words.front()))) {
      part.begin = SkipSpaces(words.front().end, ",:");
      words.erase(words.begin());
    }
    if (auto value = ValueAt(part.begin, part.end)) return value;
    int tried = 0;
    for (auto word = words.rbegin(); word != words.rend() && tried < kMostTried; ++word) {
      if (!Contains(kComesTo, Small(*word))) continue;
      ++tried;
      const std::size_t at = SkipSpaces(word->end, ":=");
      if (HasAny(text_.small(), {part.begin, word->begin}, kHedges)) return std::nullopt;
      if (auto value = ValueAt(at, part.end)) return value;
    }
    const std::size_t equals = flat().find_last_of("=:", part.end == 0 ? 0 : part.end - 1);
    if (equals != std::string::npos && equals >= part.begin) {
      if (auto value = ValueAt(SkipSpaces(equals + 1), part.end)) return value;
    }
    const std::size_t formula = flat().rfind(FlatText::kFormula, part.end == 0 ? 0 : part.end - 1);
    if (formula == std::string::npos || formula < part.begin || HasAny(text_.small(), part, kHedges))
      return std::nullopt;
    const std::string_view before = std::string_view(flat()).substr(part.begin, formula - part.begin);
    const bool only = before.find(FlatText::kFormula) == std::string_view::npos;
    return only ? ValueAt(formula, part.end) : std::nullopt;
  }

  // Where an answer begins that is announced by the "answer" at `at`; npos where none is.
  std::size_t AnnouncedBy(std::size_t at) const {
    const std::string& small = text_.small();
    std::size_t line = small.rfind('\n', at == 0 ? 0 : at - 1);
    line = line == std::string::npos || at == 0 ? 0 : line + 1;
    const auto before = Words(small, {line, at});
    if (!before.empty() && Contains(kNotTheAnswer, Small(before.back()))) {
      unclear_ = true;
      return std::string::npos;
    }
    std::size_t next = at;
    while (next < small.size() && IsLetter(small[next])) ++next;
    if (small.compare(next, 3, "'s ") == 0) return next + 3;
    for (int words = 0; words < 9; ++words) {
      next = SkipSpaces(next);
      if (next == small.size() || small[next] == '\n') {
        const bool heading = words == 0 && before.size() <= 3;
        return heading && next < small.size() ? next : std::string::npos;
      }
      if (small.compare(next, 3, "\u2192") == 0) return next + 3;
      if (small.compare(next, 2, "->") == 0 || small.compare(next, 2, "- ") == 0) return next + 2;
      if (small[next] == '=' || small[next] == ':' || small.compare(next, 3, "\uFF1A") == 0)
        return next + (small[next] == '\xEF' ? 3 : 1);
      std::size_t end = next;
      while (end < small.size() && (IsWordChar(small[end]) || small[end] == '(' || small[end] == ')')) ++end;
      const std::string_view word = std::string_view(small).substr(next, end - next);
      if (word == "choices" || word == "options" || word == "part" || Contains(kHedges, word)) unclear_ = true;
      if (word.empty() || unclear_) return std::string::npos;
      const bool verb = Contains(kVerbs, word) && word != "will";
      if (verb) return SkipSpaces(end, ":");
      // "Answer 73"
      if (words == 0 && before.empty() && (IsDigit(word[0]) || word[0] == FlatText::kFormula)) return next;
      next = end;
    }
    return std::string::npos;
  }

  // The announced answer that begins at `at`.
  std::optional<StatedAnswer> Statement(std::size_t at) const {
    at = SkipSpaces(at, ":");
    const bool below = at < flat().size() && flat()[at] == '\n';
    while (at < flat().size() && IsSpace(flat()[at])) ++at;
    if (at == flat().size()) return std::nullopt;
    for (const std::string_view word : {"thus ", "therefore ", "simply ", "just ", "exactly ", "then ", "that ",
                                        "hence ", "obviously ", "clearly ", "indeed ", "now ", "also ", "equal to "}) {
      if (text_.small().compare(at, word.size(), word) == 0) at = SkipSpaces(at + word.size());
    }
    Part sentence{at, text_.SentenceEnd(at)};
    if (below) sentence = WithFurtherLines(sentence);
    if (sentence.end < flat().size() && flat()[sentence.end] == '?') return std::nullopt;
    const bool hedged =
        !Words(text_.small(), sentence).empty() && Contains(kHedges, Small(Words(text_.small(), sentence).front()));
    if (!hedged) {
      if (auto value = ValueOf(sentence)) return value;
    }
    if (HasAny(text_.small(), sentence, kContinues) && SaysAValue(sentence)) {
      unclear_ = true;
      return std::nullopt;
    }
    if (text_.SentenceEnd(sentence.begin) < sentence.end) return StatedAnswer{Joined(sentence), {}, {}};
    return StatedAnswer{text_.Restored(sentence.begin, sentence.end), {}, {}};
  }

  // Lines below that are values too belong to the answer.
  Part WithFurtherLines(Part line) const {
    while (line.end + 1 < flat().size() && flat()[line.end] == '\n') {
      const std::size_t next = SkipSpaces(line.end + 1);
      const std::size_t end = text_.SentenceEnd(next);
      if (next == end || text_.ValueEnd(next) != end) break;
      line.end = end;
    }
    return line;
  }

  std::optional<StatedAnswer> Announced() const {
    static constexpr std::string_view kAnnouncers[] = {"answer",   "answers",   "answer's",   "ans",    "result",
                                                       "solution", "solutions", "conclusion", "option", "choice"};
    const auto words = Words(text_.small(), {0, flat().size()});
    int tried = 0;
    for (auto word = words.rbegin(); word != words.rend() && tried < kMostTried; ++word) {
      if (!Contains(kAnnouncers, Small(*word))) continue;
      ++tried;
      const std::string_view announcer = Small(*word);
      const bool weak = !announcer.starts_with("ans") && announcer != "option" && announcer != "choice";
      std::size_t at = AnnouncedBy(word->begin);
      if (at == std::string::npos) continue;
      if (weak && flat()[at - 1] != ':' && flat()[std::min(at, flat().size() - 1)] != '\n') continue;
      auto stated = Statement(at);
      if (!stated || stated->text.empty()) continue;
      const std::size_t end = text_.SentenceEnd(SkipSpaces(at, ": \n"));
      if (HasAny(text_.small(), {end, flat().size()}, kCorrections)) {
        unclear_ = true;
        return std::nullopt;
      }
      if (HasAny(text_.small(), {Beginning(word->begin), word->begin}, kHedges)) {
        return StatedAnswer{text_.Restored(Beginning(word->begin), end), {}, {}};
      }
      return stated;
    }
    return std::nullopt;
  }

  // Where the sentence that `at` is in begins.
  std::size_t Beginning(std::size_t at) const {
    std::size_t begin = 0;
    for (std::size_t next = 0; next < at;) {
      const std::size_t end = text_.SentenceEnd(next);
      if (end >= at) break;
      begin = next = end + 1;
    }
    return begin;
  }

  bool SaysAValue(Part part) const { return Small(part).find_first_of("0123456789\\\x02") != std::string_view::npos; }

  // The value of the last sentence that has one.
  std::optional<StatedAnswer> Concluded() const {
    std::vector<Part> sentences;
    for (std::size_t at = 0; at < flat().size();) {
      const std::size_t end = text_.SentenceEnd(at);
      Part sentence{SkipSpaces(at), end};
      if (sentence.begin < sentence.end && (end == flat().size() || flat()[end] != '?')) sentences.push_back(sentence);
      at = end + 1;
    }
    const auto last =
        std::find_if(sentences.rbegin(), sentences.rend(), [this](Part part) { return SaysAValue(part); });
    if (last == sentences.rend()) return sentences.empty() ? std::nullopt : Named(sentences.back());
    Part sentence = *last;
    if (HasAny(text_.small(), {sentence.end, flat().size()}, kCorrections)) return std::nullopt;
    if (flat()[sentence.begin] == '=') sentence.begin = SkipSpaces(sentence.begin + 1);
    if (text_.ValueEnd(sentence.begin) == sentence.end) {
      // Lines of values below each other are one answer.
      for (auto before = last + 1; before != sentences.rend() && before->end + 1 == FirstOfLine(sentence.begin);
           ++before) {
        if (text_.ValueEnd(before->begin) != before->end) break;
        sentence.begin = before->begin;
      }
      if (text_.SentenceEnd(sentence.begin) < sentence.end) return StatedAnswer{Joined(sentence), {}, {}};
      return Split(sentence);
    }
    const auto words = Words(text_.small(), sentence);
    if (!words.empty() && HasAny(text_.small(), {sentence.begin, words.front().end}, kHedges)) return std::nullopt;
    if (auto value = ValueOf(sentence)) return value;
    if (words.empty() || !Contains(kConclusions, Small(words.front()))) return std::nullopt;
    return OnlyValue(sentence, words);
  }

  // "The day is Monday": what a sentence without a value says after its last "is".
  std::optional<StatedAnswer> Named(Part sentence) const {
    const auto words = Words(text_.small(), sentence);
    if (HasAny(text_.small(), sentence, kHedges)) return std::nullopt;
    for (auto word = words.rbegin(); word != words.rend() && word - words.rbegin() < 4; ++word) {
      if (Small(*word) == "is" || Small(*word) == "are") {
        std::string named = text_.Restored(SkipSpaces(word->end, ":"), sentence.end);
        if (named.empty()) return std::nullopt;
        return StatedAnswer{std::move(named), {}, {}};
      }
    }
    return std::nullopt;
  }

  std::size_t FirstOfLine(std::size_t at) const {
    while (at > 0 && (flat()[at - 1] == ' ' || flat()[at - 1] == '\t' || flat()[at - 1] == '=')) --at;
    return at;
  }

  // "So she sold 73 clips": the one value of a sentence.
  std::optional<StatedAnswer> OnlyValue(Part sentence, const std::vector<Part>& words) const {
    if (HasAny(text_.small(), sentence, kHedges)) return std::nullopt;
    for (const Part& word : words) {
      if (!IsDigit(flat()[word.begin]) && flat()[word.begin] != FlatText::kFormula) continue;
      std::size_t at = word.begin;
      while (at > sentence.begin && (flat()[at - 1] == '-' || flat()[at - 1] == '$')) --at;
      return ValueAt(at, sentence.end);
    }
    return std::nullopt;
  }

  const FlatText text_;
  mutable bool unclear_ = false;  // something is said of an answer that makes it none
};

// Every closed box, from left to right; nothing where one is not closed.
std::optional<std::vector<std::string>> Boxes(std::string_view text) {
  std::vector<std::string> boxes;
  while (true) {
    const std::size_t at = std::min(text.find("\\boxed"), text.find("\\fbox"));
    if (at == std::string_view::npos) return boxes;
    const std::size_t next = std::min(text.find("\\boxed", at + 1), text.find("\\fbox", at + 1));
    // A box inside a box is the same one.
    std::string_view part = text.substr(at, next == std::string_view::npos ? next : next - at);
    auto box = Extract(Extractor::kBoxed, part);
    if (!box && next != std::string_view::npos)
      box = Extract(Extractor::kBoxed, text.substr(at, text.find('\n', at) - at));
    if (box) {
      if (std::find(boxes.begin(), boxes.end(), *box) == boxes.end()) boxes.push_back(std::move(*box));
    }
    text.remove_prefix(at + 5);
  }
}

// What follows the thoughts; nothing where they are not closed.
std::optional<std::string_view> AfterThoughts(std::string_view text) {
  static constexpr std::string_view kClosing[] = {"</think>", "</thinking>", "</thought>", "</reasoning>",
                                                  "<|channel|>final<|message|>"};
  static constexpr std::string_view kOpening[] = {"<think>", "<thinking>", "<thought>", "<reasoning>"};
  std::size_t begin = 0;
  for (const std::string_view mark : kClosing) {
    if (const std::size_t at = text.rfind(mark); at != std::string_view::npos)
      begin = std::max(begin, at + mark.size());
  }
  text.remove_prefix(begin);
  for (const std::string_view mark : kOpening) {
    if (text.find(mark) != std::string_view::npos) return std::nullopt;
  }
  return text;
}

// The contents of the last <answer>, to the end where it is not closed; the text where there is none.
std::string_view InTag(std::string_view text) {
  std::string small(text);
  for (char& c : small) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view name : {"answer>", "final_answer>", "final>"}) {
    const std::string open = "<" + std::string(name), close = "</" + std::string(name);
    const std::size_t at = small.rfind(open);
    if (at == std::string::npos) continue;
    const std::size_t begin = at + open.size();
    return text.substr(begin, std::min(small.find(close, begin), text.size()) - begin);
  }
  return text;
}

std::string WithoutQuotes(std::string_view text) {
  return ReplaceAll(ReplaceAll(ReplaceAll(text, "\u201C", ""), "\u201D", ""), "\"", "");
}

// Whether a text names something by words of its own: a unit, or what it counts.
bool HasWords(std::string_view text) {
  std::size_t letters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool command = text[at] == '\\';
    if (command) {
      const std::string_view rest = text.substr(at);
      if (rest.starts_with("\\text") || rest.starts_with("\\mathrm") || rest.starts_with("\\mbox")) return true;
      while (at + 1 < text.size() && IsLetter(text[at + 1])) ++at;
    }
    letters = !command && IsLetter(text[at]) ? letters + 1 : 0;
    if (letters > 1) return true;
  }
  return false;
}

Sameness CompareOne(Comparator comparator, const StatedAnswer& answer, const StatedAnswer& label) {
  const Sameness whole = Compare(comparator, answer.text, label.text);
  const auto equal = [&](const std::string& left, const std::string& right) { return Equal(comparator, left, right); };
  if (whole == Sameness::kEqual) return whole;
  if (!answer.bare.empty() && !HasWords(label.text) && equal(answer.bare, label.text)) return Sameness::kEqual;
  if (!label.bare.empty() && !HasWords(answer.text) && equal(answer.text, label.bare)) return Sameness::kEqual;
  if (answer.boxes.empty() || comparator != Comparator::kMathematics) return whole;
  std::string set;
  for (const std::string& box : answer.boxes) set += (set.empty() ? "" : ", ") + box;
  return equal("\\{" + set + "\\}", label.text) || equal(set, label.text) ? Sameness::kEqual : whole;
}

}  // namespace

std::optional<StatedAnswer> FindStated(std::string_view text) {
  const auto said = AfterThoughts(text);
  if (!said) return std::nullopt;
  const std::string_view tagged = InTag(*said);
  if (tagged.find("\\boxed") != std::string_view::npos || tagged.find("\\fbox") != std::string_view::npos) {
    auto last = Extract(Extractor::kBoxed, tagged);
    if (!last) return std::nullopt;
    StatedAnswer answer{std::move(*last), {}, {}};
    auto boxes = Boxes(tagged);
    if (boxes && boxes->size() > 1) answer.boxes = std::move(*boxes);
    return answer;
  }
  if (const std::string_view lines = Trim(tagged); lines.substr(lines.rfind('\n') + 1).starts_with("####")) {
    if (auto last = Extract(Extractor::kAfterHashes, lines)) return StatedAnswer{std::move(*last), {}, {}};
  }
  return Reader(WithoutQuotes(WithoutMarkdown(tagged))).Read();
}

std::optional<StatedAnswer> LabelStated(std::string_view label) {
  auto stated = FindStated(label);
  if (!stated || stated->boxes.empty()) return stated;
  std::string set;
  for (const std::string& box : stated->boxes) set += (set.empty() ? "" : ", ") + box;
  return StatedAnswer{"\\{" + set + "\\}", {}, {}};
}

Sameness CompareStated(Comparator comparator, const StatedAnswer& answer, const std::vector<StatedAnswer>& labels) {
  Sameness best = Sameness::kUnequal;
  for (const StatedAnswer& label : labels) {
    const Sameness sameness = CompareOne(comparator, answer, label);
    if (sameness == Sameness::kEqual) return sameness;
    if (sameness == Sameness::kUndecided) best = sameness;
  }
  return best;
}

}  // namespace autodidact::answers

#include "answers/stated_text.h"

#include <algorithm>
#include <utility>

#include "answers/flat_text.h"
#include "answers/prose.h"
#include "answers/stated_words.h"
#include "answers/words.h"
#include "base/strings.h"

namespace autodidact::answers {
namespace {

constexpr int kMostTried = 20;  // places of a text at which an answer is looked for, from its end

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<StatedAnswer> Read() const {
    const std::vector<Part> sentences = Sentences();
    if (auto subject = sentences.empty() ? std::nullopt : Subject(sentences.back())) return subject;
    if (auto announced = Announced()) return announced;
    const Part all{SkipSpaces(0, "\n\r"), flat().size()};
    std::string whole = base::FoldSpaces(text_.Restored(all.begin, all.end));
    if (whole.empty()) return std::nullopt;
    const std::size_t end = text_.SentenceEnd(all.begin);
    const bool is_one = end + 1 >= base::Trim(flat()).size();
    if (is_one && SaysWhatIsGiven(Words(text_.small(), {all.begin, end}))) return std::nullopt;
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

  // "Let x = 5", but not "Let me see".
  bool SaysWhatIsGiven(const std::vector<Part>& words) const {
    if (words.empty() || !base::Contains(kGiven, Small(words.front()))) return false;
    return words.size() < 2 || (Small(words[1]) != "me" && Small(words[1]) != "us");
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
    if (auto named = Labelled(all)) return named;
    if (text_.SentenceEnd(all.begin) >= base::Trim(flat()).size()) return Split(all);
    return StatedAnswer{Joined(all), {}, {}};
  }

  // "In total: 42", "Step 3: Add them: 4 + 6 = 10": the value after the last colon.
  std::optional<StatedAnswer> Labelled(Part line) const {
    const std::size_t colon = flat().rfind(": ", line.end);
    if (colon == std::string::npos || colon < line.begin || colon == 0 || !base::IsLetter(flat()[colon - 1]))
      return std::nullopt;
    if (flat().find('\n', colon) < base::Trim(flat()).size()) return std::nullopt;
    const auto words = Words(text_.small(), {line.begin, colon});
    const std::size_t at = SkipSpaces(colon + 1);
    const std::size_t end = text_.SentenceEnd(at);
    if (words.empty() || Small(words.back()).size() < 3 || text_.ValueEnd(at) != end) return std::nullopt;
    if (HasAny(text_.small(), {line.begin, colon}, kHedges)) return std::nullopt;
    return StatedAnswer{text_.Restored(line.begin, line.end), text_.Restored(at, end), {}};
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
    if (first == "or" && words.size() > 1 && base::Contains(kAbout, Small(words[1]))) return true;
    if (text.starts_with(", and we are done") || text.starts_with(" and we are done")) return true;
    if (base::Contains(kAttained, first)) return true;
    if (base::Contains(kConcludes, first) && ConcludesMore(tail, words)) return false;
    if (base::Contains(kExplains, first)) return !HasAny(text_.small(), tail, kHedges);
    if (HasAny(text_.small(), tail, kHedges) || HasAny(text_.small(), tail, kContinues)) return false;
    for (std::size_t slash = text.find('/'); slash != std::string_view::npos; slash = text.find('/', slash + 1)) {
      const bool rate =
          slash > 1 && base::IsLetter(text[slash - 1]) && slash + 1 < text.size() && base::IsLetter(text[slash + 1]);
      if (!rate) return false;  // "km/h" is a unit
    }
    return text.find_first_of("0123456789+*^=<>\\\x02") == std::string_view::npos;
  }

  // "5, which gives x = 3", but not "5, which is the sum of 2 and 3".
  bool ConcludesMore(Part tail, const std::vector<Part>& words) const {
    static constexpr std::string_view kSays[] = {"is", "are", "was", "occurs", "happens"};
    const bool explains = words.size() > 1 && Small(words[0]) == "which" && base::Contains(kSays, Small(words[1]));
    return !explains && Small(tail).find_first_of("0123456789\x02") != std::string_view::npos;
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
      if (between.find_first_of(",;:()-") != std::string_view::npos || base::Contains(kExplains, Small(word))) break;
      unit = word.end;
    }
    return Split({at, unit});
  }

  // Whether what a sentence says up to `end` is a condition or a denial. In a clause of its own that only holds for the
  // clause, but for a condition that the sentence begins with.
  bool IsHedged(Part sentence, std::size_t end) const {
    const auto words = Words(text_.small(), {sentence.begin, end});
    const bool is_conditional = !words.empty() && base::Contains(kHedges, Small(words.front()));
    const std::size_t comma = flat().rfind(',', end);
    const bool has_clause = comma != std::string::npos && comma > sentence.begin && !is_conditional;
    const bool concludes = has_clause && !Words(text_.small(), {comma, end}).empty() &&
                           base::Contains(kConcludes, Small(Words(text_.small(), {comma, end}).front()));
    const std::size_t begin = has_clause ? comma : sentence.begin;
    if (has_clause && !concludes && HasAny(text_.small(), {sentence.begin, comma}, kDenials)) return true;
    return HasAny(text_.small(), {begin, end}, kHedges);
  }

  // The value that the part of a sentence comes to: at its start, or after its last verb; else its only formula.
  std::optional<StatedAnswer> ValueOf(Part part) const {
    auto words = Words(text_.small(), part);
    while (!words.empty() && base::Contains(kConclusions, Small(words.front()))) {
      part.begin = SkipSpaces(words.front().end, ",:");
      words.erase(words.begin());
    }
    if (SaysWhatIsGiven(words)) return std::nullopt;
    if (auto value = ValueAt(part.begin, part.end)) return value;
    if (auto count = Count(part)) return count;
    int tried = 0;
    for (auto word = words.rbegin(); word != words.rend() && tried < kMostTried; ++word) {
      if (!base::Contains(kComesTo, Small(*word))) continue;
      ++tried;
      const std::size_t at = SkipSpaces(AfterFiller(word->end, part.end), ":=");
      if (IsHedged(part, word->begin)) return std::nullopt;
      if (auto value = ValueAt(at, part.end)) return value;
    }
    std::size_t equals = flat().find_last_of("=:", part.end == 0 ? 0 : part.end - 1);
    while (equals != std::string::npos && equals > 0 && IsTime(equals)) equals = flat().find_last_of("=:", equals - 1);
    if (equals != std::string::npos && equals >= part.begin) {
      if (auto value = ValueAt(SkipSpaces(equals + 1), part.end)) return value;
    }
    const std::size_t formula = flat().rfind(FlatText::kFormula, part.end == 0 ? 0 : part.end - 1);
    if (formula == std::string::npos || formula < part.begin || HasAny(text_.small(), part, kHedges))
      return std::nullopt;
    const std::string_view before = std::string_view(flat()).substr(part.begin, formula - part.begin);
    const bool only = before.find(FlatText::kFormula) == std::string_view::npos;
    if (auto value = only ? ValueAt(formula, part.end) : std::nullopt) return value;
    return Closing(part, formula);
  }

  // "there are 9 divisors of 196"
  std::optional<StatedAnswer> Count(Part sentence) const {
    std::size_t begin = std::string::npos;
    for (const std::string_view start :
         {"there are ", "there is ", "there will be ", "for a total of ", "a total of "}) {
      const std::size_t at = text_.small().rfind(start, sentence.end);
      if (at != std::string::npos && at >= sentence.begin) begin = at + start.size();
      if (begin != std::string::npos) break;
    }
    if (begin == std::string::npos || IsHedged(sentence, begin)) return std::nullopt;
    begin = AfterFiller(begin, sentence.end);
    const std::size_t end = text_.ValueEnd(begin);
    if (end == begin || end > sentence.end) return std::nullopt;
    const auto words = Words(text_.small(), {end, sentence.end});
    const bool counts = !words.empty() && Small(words.front()).size() > 2 && base::IsLetter(Small(words.front())[0]) &&
                        !base::Contains(kContinues, Small(words.front())) &&
                        !base::Contains(kHedges, Small(words.front()));
    static constexpr std::string_view kMore[] = {"and",  "but", "more", "less", "plus", "minus", "times",
                                                 "over", "or",  "each", "not",  "if",   "when",  "unless"};
    if (!counts || HasAny(text_.small(), {end, sentence.end}, kMore)) return std::nullopt;
    return StatedAnswer{text_.Restored(begin, words.front().end), text_.Restored(begin, end), {}};
  }

  // 10:30
  bool IsTime(std::size_t colon) const {
    return flat()[colon] == ':' && colon + 1 < flat().size() && base::IsDigit(flat()[colon - 1]) &&
           base::IsDigit(flat()[colon + 1]);
  }

  // "…, x = 5": the equation that a sentence ends with, in a clause that supposes nothing.
  std::optional<StatedAnswer> Closing(Part sentence, std::size_t formula) const {
    if (!base::Trim(std::string_view(flat()).substr(formula + 1, sentence.end - formula - 1)).empty())
      return std::nullopt;
    std::size_t begin = flat().find_last_of(",;:", formula);
    begin = begin == std::string::npos || begin < sentence.begin ? sentence.begin : begin + 1;
    const bool supposes =
        HasAny(text_.small(), {begin, formula}, kHedges) || HasAny(text_.small(), {begin, formula}, kSupposes);
    std::string said = text_.Restored(formula, formula + 1);
    if (supposes || said.find('=') == std::string::npos) return std::nullopt;
    return StatedAnswer{std::move(said), {}, {}};
  }

  // Past the words between a verb and its value: "gives us", "has a total of".
  std::size_t AfterFiller(std::size_t at, std::size_t end) const {
    static constexpr std::string_view kFillers[] = {"us",   "a total of", "the value", "exactly", "only",
                                                    "just", "an area of", "a sum of",  "you"};
    at = SkipSpaces(at);
    for (const std::string_view filler : kFillers) {
      const bool follows = text_.small().compare(at, filler.size(), filler) == 0 && at + filler.size() < end &&
                           text_.small()[at + filler.size()] == ' ';
      if (follows) at = SkipSpaces(at + filler.size());
    }
    return at;
  }

  // Where an answer begins that is announced by the "answer" at `at`; npos where none is.
  std::size_t AnnouncedBy(std::size_t at) const {
    const std::string& small = text_.small();
    std::size_t line = small.rfind('\n', at == 0 ? 0 : at - 1);
    line = line == std::string::npos || at == 0 ? 0 : line + 1;
    const auto before = Words(small, {line, at});
    if (!before.empty() && base::Contains(kNotTheAnswer, Small(before.back()))) {
      unclear_ = true;
      return std::string::npos;
    }
    std::size_t next = at;
    while (next < small.size() && base::IsLetter(small[next])) ++next;
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
      if (word == "choices" || word == "options" || word == "part" || base::Contains(kHedges, word)) unclear_ = true;
      if (word.empty() || unclear_) return std::string::npos;
      if (word != "will" && base::Contains(kVerbs, word)) return SkipSpaces(end, ":");
      // "Answer 73"
      if (words == 0 && before.empty() && (base::IsDigit(word[0]) || word[0] == FlatText::kFormula)) return next;
      next = end;
    }
    return std::string::npos;
  }

  // The announced answer that begins at `at`.
  std::optional<StatedAnswer> Statement(std::size_t at) const {
    at = SkipSpaces(at, ":");
    const bool below = at < flat().size() && flat()[at] == '\n';
    while (at < flat().size() && base::IsSpace(flat()[at])) ++at;
    if (at == flat().size()) return std::nullopt;
    for (const std::string_view word : {"thus ", "therefore ", "simply ", "just ", "exactly ", "then ", "that ",
                                        "hence ", "obviously ", "clearly ", "indeed ", "now ", "also ", "equal to "}) {
      if (text_.small().compare(at, word.size(), word) == 0) at = SkipSpaces(at + word.size());
    }
    Part sentence{at, text_.SentenceEnd(at)};
    if (below) sentence = WithFurtherLines(sentence);
    if (sentence.end < flat().size() && flat()[sentence.end] == '?') return std::nullopt;
    const auto words = Words(text_.small(), sentence);
    if (words.empty() || !base::Contains(kHedges, Small(words.front()))) {
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
      if (!base::Contains(kAnnouncers, Small(*word))) continue;
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

  // What is said after an answer about how it was found.
  bool IsRemark(Part sentence) const {
    static constexpr std::string_view kRemarks[] = {"note", "notice", "remark", "equality", "testing", "checking"};
    const auto words = Words(text_.small(), sentence);
    return sentence.begin > 0 && !words.empty() && base::Contains(kRemarks, Small(words.front()));
  }

  // Those that are no questions.
  std::vector<Part> Sentences() const {
    std::vector<Part> sentences;
    for (std::size_t at = 0; at < flat().size();) {
      const std::size_t end = text_.SentenceEnd(at);
      Part sentence{SkipSpaces(at), end};
      if (sentence.begin < sentence.end && (end == flat().size() || flat()[end] != '?')) sentences.push_back(sentence);
      at = end + 1;
    }
    return sentences;
  }

  // The value of the last sentence that has one.
  std::optional<StatedAnswer> Concluded() const {
    const std::vector<Part> sentences = Sentences();
    const auto last = std::find_if(sentences.rbegin(), sentences.rend(),
                                   [this](Part part) { return SaysAValue(part) && !IsRemark(part); });
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
    if (auto subject = Subject(sentence)) return subject;
    const auto words = Words(text_.small(), sentence);
    if (!words.empty() && HasAny(text_.small(), {sentence.begin, words.front().end}, kHedges)) return std::nullopt;
    if (auto value = ValueOf(sentence)) return value;
    if (words.empty() || !base::Contains(kConclusions, Small(words.front()))) return std::nullopt;
    return OnlyValue(sentence, words);
  }

  // "Therefore, 5 is our answer" and "Option (B) is correct".
  std::optional<StatedAnswer> Subject(Part sentence) const {
    static constexpr std::string_view kEnds[] = {
        " is our answer",       " is the answer",         " is our final answer",  " is correct",
        " is the final answer", " is the correct answer", " is the desired answer"};
    const std::string_view small = base::Trim(Small(sentence));
    for (const std::string_view end : kEnds) {
      if (!small.ends_with(end) || HasAny(text_.small(), sentence, kHedges)) continue;
      Part subject{sentence.begin,
                   static_cast<std::size_t>(small.data() - text_.small().data()) + small.size() - end.size()};
      for (const Part& word : Words(text_.small(), subject)) {
        const bool leads =
            base::Contains(kConclusions, Small(word)) || Small(word) == "option" || Small(word) == "choice";
        if (!leads) break;
        subject.begin = SkipSpaces(word.end, ",:");
      }
      if (Words(text_.small(), subject).size() != 1) return std::nullopt;
      return StatedAnswer{text_.Restored(subject.begin, subject.end), {}, {}};
    }
    return std::nullopt;
  }

  // "The day is Monday": what a sentence without a value says after its last "is".
  std::optional<StatedAnswer> Named(Part sentence) const {
    const auto words = Words(text_.small(), sentence);
    if (HasAny(text_.small(), sentence, kHedges)) return std::nullopt;
    for (auto word = words.rbegin(); word != words.rend() && word - words.rbegin() < 4; ++word) {
      if (Small(*word) == "is" || Small(*word) == "are" || Small(*word) == "equals") {
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
      if (!base::IsDigit(flat()[word.begin]) && flat()[word.begin] != FlatText::kFormula) continue;
      std::size_t at = word.begin;
      while (at > sentence.begin && (flat()[at - 1] == '-' || flat()[at - 1] == '$')) --at;
      return ValueAt(at, sentence.end);
    }
    return std::nullopt;
  }

  const FlatText text_;
  mutable bool unclear_ = false;  // something is said of an answer that makes it none
};

}  // namespace

std::optional<StatedAnswer> StatedIn(std::string_view text) {
  return Reader(text).Read();
}

}  // namespace autodidact::answers

#include "text/pre_tokenizer.h"

#include <algorithm>

#include "base/format.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

constexpr const char* kPreTokenizers =
    "Sequence, ByteLevel (as the last), Split, Metaspace, Digits, Punctuation, Whitespace, WhitespaceSplit, "
    "CharDelimiterSplit";

// The pattern of the step ByteLevel, as GPT-2 had it.
constexpr std::string_view kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// What becomes of the matches of a splitting pattern.
enum class Behavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

Behavior BehaviorNamed(const std::string& name, const Part& part) {
  if (name == "Isolated") return Behavior::kIsolated;
  if (name == "Removed") return Behavior::kRemoved;
  if (name == "MergedWithPrevious") return Behavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return Behavior::kMergedWithNext;
  if (name == "Contiguous") return Behavior::kContiguous;
  part.Throw("behavior '" + name +
             "' is not supported; supported are Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous");
}

using Finder = std::function<void(std::string_view, std::vector<Span>*)>;

// Calls visit(span, is_match) for the matches and what lies between them, in order.
template <class Visit>
void ForEachPart(const Span& piece, const std::vector<Span>& matches, bool invert, Visit visit) {
  std::size_t done = piece.begin;
  for (const Span& match : matches) {
    const Span placed{piece.begin + match.begin, piece.begin + match.end};
    if (done < placed.begin) visit(Span{done, placed.begin}, invert);
    visit(placed, !invert);
    done = placed.end;
  }
  if (done < piece.end) visit(Span{done, piece.end}, invert);
}

void SplitPiece(const Span& piece, const std::vector<Span>& matches, Behavior behavior, bool invert,
                std::vector<Span>* out) {
  const std::size_t first = out->size();
  bool previous_is_match = false;
  ForEachPart(piece, matches, invert, [&](const Span& part, bool is_match) {
    const bool has_previous = out->size() > first;
    bool joins = false;
    if (behavior == Behavior::kMergedWithPrevious) joins = has_previous && is_match && !previous_is_match;
    if (behavior == Behavior::kMergedWithNext) joins = has_previous && !is_match && previous_is_match;
    if (behavior == Behavior::kContiguous) joins = has_previous && is_match == previous_is_match;
    if (joins) {
      out->back().end = part.end;
    } else if (behavior != Behavior::kRemoved || !is_match) {
      out->push_back(part);
    }
    previous_is_match = is_match;
  });
}

auto MakeSplit(Finder find, Behavior behavior, bool invert) {
  return [find = std::move(find), behavior, invert](PieceList* list) {
    list->next.clear();
    for (const Span& piece : list->pieces) {
      list->matches.clear();
      find(piece.Of(list->text), &list->matches);
      SplitPiece(piece, list->matches, behavior, invert, &list->next);
    }
    list->pieces.swap(list->next);
  };
}

Finder FindPattern(std::shared_ptr<const Pattern> pattern) {
  return [pattern = std::move(pattern)](std::string_view text, std::vector<Span>* matches) {
    pattern->FindAll(text, matches);
  };
}

Finder FindRegex(std::string_view pattern) {
  return FindPattern(std::make_shared<const Pattern>(std::make_unique<Regex>(pattern, "built-in pattern")));
}

// Single characters that fulfil the condition.
Finder FindChars(bool (*condition)(char32_t)) {
  return [condition](std::string_view text, std::vector<Span>* matches) {
    for (std::size_t position = 0; position < text.size();) {
      const std::size_t begin = position;
      if (condition(NextChar(text, &position))) matches->push_back({begin, position});
    }
  };
}

// Rebuilds the text piece by piece: rewrite(piece, begins_the_input) gives a piece's new text.
template <class Rewrite>
void RewritePieces(PieceList* list, Rewrite rewrite) {
  std::string text;
  for (Span& piece : list->pieces) {
    const std::size_t begin = text.size();
    text += rewrite(piece.Of(list->text), list->at_start && piece.begin == 0);
    piece = {begin, text.size()};
  }
  list->text.swap(text);
}

}  // namespace

void PreTokenizer::Apply(PieceList* list) const {
  list->pieces.clear();
  if (!list->text.empty()) list->pieces.push_back({0, list->text.size()});
  for (const Step& step : steps_) step(list);
}

void PreTokenizer::Add(const Part& part) {
  if (part.value().is_null()) return;
  if (byte_level_) part.Throw("a pre-tokenizer after ByteLevel is not supported");
  const std::string type = part.String("type");
  if (type == "Sequence") {
    for (const Part& element : part.List("pretokenizers")) Add(element);
  } else if (type == "ByteLevel") {
    AddByteLevel(part);
  } else if (type == "Metaspace") {
    AddMetaspace(part);
  } else if (type == "Split") {
    const auto pattern = std::make_shared<const Pattern>(part.At("pattern"));
    const Behavior behavior = BehaviorNamed(part.String("behavior"), part);
    steps_.push_back(MakeSplit(FindPattern(pattern), behavior, part.Bool("invert", false)));
  } else if (type == "Digits") {
    const bool each = part.Bool("individual_digits", false);
    steps_.push_back(MakeSplit(FindChars(IsNumeric), each ? Behavior::kIsolated : Behavior::kContiguous, false));
  } else if (type == "Punctuation") {
    const Behavior behavior = BehaviorNamed(part.StringOr("behavior", "Isolated"), part);
    steps_.push_back(MakeSplit(FindChars(IsPunctuation), behavior, false));
  } else if (type == "Whitespace") {
    steps_.push_back(MakeSplit(FindRegex(base::Format("[{0}]+|[^{0}\\s]+", kWordClass)), Behavior::kRemoved, true));
  } else if (type == "WhitespaceSplit") {
    steps_.push_back(MakeSplit(FindChars(IsSpace), Behavior::kRemoved, false));
  } else if (type == "CharDelimiterSplit") {
    const std::string delimiter = part.String("delimiter");
    if (delimiter.empty()) part.Throw("the delimiter is empty");
    steps_.push_back(MakeSplit(FindPattern(std::make_shared<const Pattern>(delimiter)), Behavior::kRemoved, false));
  } else {
    part.ThrowUnsupported(type, kPreTokenizers);
  }
}

void PreTokenizer::AddByteLevel(const Part& part) {
  if (part.Bool("add_prefix_space", true)) {
    steps_.push_back([](PieceList* list) {
      RewritePieces(list, [](std::string_view piece, bool) {
        return piece.starts_with(' ') ? std::string(piece) : " " + std::string(piece);
      });
    });
  }
  if (part.Bool("use_regex", true))
    steps_.push_back(MakeSplit(FindRegex(kByteLevelPattern), Behavior::kIsolated, false));
  byte_level_ = true;
}

void PreTokenizer::AddMetaspace(const Part& part) {
  const std::string mark = part.StringOr("replacement", "\xE2\x96\x81");
  std::string scheme = part.StringOr("prepend_scheme", part.Bool("add_prefix_space", true) ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    part.Throw("prepend_scheme '" + scheme + "' is not supported; supported are always, first, never");
  }
  if (mark.empty()) part.Throw("the replacement is empty");
  const auto space = std::make_shared<const Pattern>(" ");
  steps_.push_back([space, mark, scheme](PieceList* list) {
    RewritePieces(list, [&](std::string_view piece, bool is_first) {
      std::string marked = space->Replace(piece, mark);
      const bool wants_mark = scheme == "always" || (scheme == "first" && is_first);
      return wants_mark && !marked.starts_with(mark) ? mark + marked : marked;
    });
  });
  if (part.Bool("split", true)) {
    steps_.push_back(MakeSplit(FindPattern(std::make_shared<const Pattern>(mark)), Behavior::kMergedWithNext, false));
  }
}

}  // namespace autodidact::text

// The fenced blocks of an answer, in all the forms that people and models give them.
#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "json/json.h"
#include "programs/code.h"

namespace autodidact::programs {
namespace {

using Block = CodeText::Block;

constexpr std::size_t kNowhere = std::string_view::npos;
constexpr int kMaxNesting = 3;

// What opens a block: where it stands in its line, and what closes it.
struct Fence {
  std::string prefix;  // of the lines inside: white space, or the mark of a quotation
  std::string closing;
  std::string mark;
  bool closed = false;  // on its own line; then `inside` is the block
  std::string inside;
};

std::string_view WithoutReturn(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The first word of what stands behind a fence: "python" of "python title=x", "{.python}", "Python:main.py".
std::string MarkOf(std::string_view info) {
  std::string mark;
  info = base::Trim(info);
  while (!info.empty() && (info.front() == '{' || info.front() == '.')) info.remove_prefix(1);
  for (const char c : info) {
    if (!base::IsLetter(c) && !base::IsDigit(c) && c != '_') break;
    mark.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return mark;
}

std::size_t RunLength(std::string_view text, char c) {
  return std::min(text.find_first_not_of(c), text.size());
}

// Where the fence of a line stands that has words before it; at the front only for the other signs.
std::size_t FenceAt(std::string_view line) {
  const std::size_t front = line.find_first_not_of(" \t>");
  if (front == kNowhere) return kNowhere;
  if (line.substr(front).starts_with("~~~")) return front;
  return line.find("```");
}

std::optional<Fence> Opening(std::string_view line) {
  constexpr std::array<std::pair<const char*, const char*>, 2> kTags = {
      {{"[PYTHON]", "[/PYTHON]"}, {"[BEGIN]", "[DONE]"}}};
  for (const auto& [open, close] : kTags) {
    if (base::Trim(line) == open) return Fence{"", close, "python", false, ""};
  }
  const std::size_t at = FenceAt(line);
  if (at == kNowhere) return std::nullopt;
  Fence fence;
  const std::size_t length = RunLength(line.substr(at), line[at]);
  fence.closing = std::string(length, line[at]);
  const std::string_view info = line.substr(at + length);
  fence.mark = MarkOf(info);
  const bool leads = line.find_first_not_of(" \t>") == at;
  if (leads) fence.prefix = std::string(line.substr(0, at));
  if (const std::size_t end = info.find(fence.closing); line[at] == '`' && end != kNowhere) {
    const std::string_view inside = base::Trim(info.substr(0, end));
    const bool marked = inside.starts_with("py") || inside.starts_with("Py");
    fence.inside =
        std::string(marked ? base::Trim(inside.substr(std::min(inside.find(' '), inside.size()))) : inside) + "\n";
    fence.mark = "python";
    fence.closed = true;
  } else if (!leads && base::Trim(info).find(' ') != kNowhere) {
    return std::nullopt;  // words, a fence, and more words: not the start of a block
  }
  return fence;
}

// The line without the white space or quotation marks that the fence has before it too.
std::string_view Without(std::string_view prefix, std::string_view line) {
  const bool quoted = prefix.find('>') != kNowhere;
  std::size_t at = 0;
  while (at < prefix.size() && at < line.size() &&
         (line[at] == ' ' || line[at] == '\t' || (quoted && line[at] == '>'))) {
    ++at;
  }
  return line.substr(at);
}

// Whether the line ends the block; what stands before the fence is still of the block.
bool Closes(const Fence& fence, std::string_view line, std::string_view* before) {
  const std::string_view trimmed = base::Trim(Without(fence.prefix, line));
  *before = {};
  if (fence.closing.front() == '[') return trimmed == fence.closing;
  const char sign = fence.closing.front();
  if (trimmed.find_first_not_of(sign) == kNowhere) return trimmed.size() >= fence.closing.size();
  if (sign != '`' || !trimmed.ends_with(fence.closing)) return false;
  *before = line.substr(0, line.rfind(fence.closing));
  return before->find('`') == kNowhere;
}

void AddBlock(std::vector<Block>& blocks, Block block, int depth);

std::vector<Block> BlocksIn(std::string_view text, int depth) {
  std::vector<Block> blocks;
  std::optional<Fence> open;
  std::string inside;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = WithoutReturn(text.substr(begin, end - begin));
    begin = end + 1;
    if (!open) {
      open = Opening(line);
      inside = open ? open->inside : "";
      if (!open || !open->closed) continue;
    } else if (std::string_view before; Closes(*open, line, &before)) {
      if (!base::Trim(before).empty()) inside.append(Without(open->prefix, before)).push_back('\n');
    } else {
      inside.append(Without(open->prefix, line)).push_back('\n');
      continue;
    }
    AddBlock(blocks, {open->mark, inside}, depth);
    open.reset();
  }
  if (open) AddBlock(blocks, {open->mark, inside}, depth);
  return blocks;
}

// A block that holds blocks is a text about them.
void AddBlock(std::vector<Block>& blocks, Block block, int depth) {
  if (depth < kMaxNesting && block.mark != "inputs" && block.text.find("```") != kNowhere) {
    for (Block& inner : BlocksIn(block.text, depth + 1)) blocks.push_back(std::move(inner));
  }
  blocks.push_back(std::move(block));
}

// From the first fence to the last: a program whose own texts hold fences.
std::optional<Block> FirstToLast(std::string_view text) {
  const std::size_t first = text.find("```");
  const std::size_t last = text.rfind("\n```");
  if (first == kNowhere || last == kNowhere || last <= first) return std::nullopt;
  const std::size_t begin = text.find('\n', first);
  if (begin == kNowhere || begin >= last) return std::nullopt;
  return Block{"", std::string(text.substr(begin + 1, last - begin))};
}

// The start of a text whose first fence closes what the prompt opened; nothing where the fences come in pairs.
std::optional<Block> BeforeFirstFence(std::string_view text) {
  std::optional<std::string_view> before;
  std::size_t fences = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (const std::string_view line = base::Trim(text.substr(begin, end - begin)); line.starts_with("```")) {
      if (fences++ == 0 && line == "```") before = text.substr(0, begin);
    }
    begin = end + 1;
  }
  if (fences % 2 == 0 || !before || base::Trim(*before).empty()) return std::nullopt;
  return Block{"", std::string(*before)};
}

std::string Input(std::string_view line) {
  if (line.front() != '"') return std::string(line);
  try {
    const json::Json text = json::Parse(line, "input");
    if (text.is_string()) return text.get<std::string>();
  } catch (const base::Error&) {
    // An expression that starts with a string.
  }
  return std::string(line);
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (const std::string_view line = base::Trim(text.substr(begin, end - begin)); !line.empty())
      lines.push_back(Input(line));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

CodeText ReadCodeText(std::string_view text) {
  constexpr std::string_view kThought = "</think>";
  if (const std::size_t at = text.rfind(kThought); at != kNowhere) text.remove_prefix(at + kThought.size());
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  CodeText found;
  found.whole = std::string(text);
  std::vector<Block> blocks = BlocksIn(text, 0);
  if (blocks.size() > 1) {
    if (auto joined = FirstToLast(text)) found.blocks.push_back(std::move(*joined));
  }
  if (auto before = BeforeFirstFence(text)) found.blocks.push_back(std::move(*before));
  for (Block& block : blocks) {
    if (block.mark == "inputs") {
      found.inputs = Lines(block.text);
    } else {
      found.blocks.push_back(std::move(block));
    }
  }
  return found;
}

}  // namespace autodidact::programs

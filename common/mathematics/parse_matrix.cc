#include "mathematics/parser.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace autodidact::mathematics {
Node Parser::Matrix() {
  const std::string kind = Environment();
  if (kind == "array" && IsSymbol('{')) Raw();
  DropAlignment();
  std::vector<Node> rows;
  std::vector<Node> cells;
  const auto end_row = [&] {
    rows.push_back(MakeNode(Op::kList, ",", std::move(cells)));
    cells.clear();
  };
  while (!IsCommand("\\end")) {
    if (Peek().kind == TokenKind::kEnd) throw SyntaxError();
    if (Peek().kind == TokenKind::kSymbol && Peek().text == "\\\\") {
      Take();
      end_row();
    } else if (!TakeSymbol('&')) {
      cells.push_back(List());
    }
  }
  Take();
  if (!cells.empty()) end_row();
  if (Environment() != kind) throw SyntaxError();
  const bool is_system = kind == "array" && !rows.empty() && std::all_of(rows.begin(), rows.end(), [](const Node& row) {
                           return row.args.size() == 1 && row.args[0].op == Op::kRelation;
                         });
  if (is_system || kind == "cases" || kind == "aligned" || kind == "align*" || kind == "split" || kind == "gathered") {
    return AsList(std::move(rows));
  }
  const bool is_plain = kind == "pmatrix" || kind == "bmatrix" || kind == "matrix" || kind == "array" ||
                        kind == "smallmatrix" || kind == "psmallmatrix";
  return MakeNode(Op::kMatrix, is_plain ? "matrix" : kind, std::move(rows));
}

std::string Parser::Environment() {
  return Raw();
}

void Parser::DropAlignment() {
  for (std::size_t i = at_; i + 1 < tokens_.size() && tokens_[i].text != "\\end"; ++i) {
    if (tokens_[i].text == "&" && i > at_ && (IsRelation(tokens_[i + 1]) || IsRelation(tokens_[i - 1]))) {
      tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

Node Parser::AsList(std::vector<Node> rows) {
  Node list = MakeNode(Op::kList, ",");
  for (Node& row : rows) {
    if (row.args.size() != 1) throw SyntaxError();
    list.args.push_back(std::move(row.args[0]));
  }
  return list;
}

}  // namespace autodidact::mathematics

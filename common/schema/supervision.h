// What rollouts are held against: what a ticket brings with it, and what a judge is told.
#pragma once

#include <string>
#include <variant>
#include <vector>

namespace autodidact::schema {

// A statement about a response that is met or not.
struct Criterion {
  std::string text;
  double points = 1;  // of physicians' rubrics; negative: of what a response should not do

  bool operator==(const Criterion&) const = default;
};

// Answers, any of which is right.
struct Labels {
  std::vector<std::string> answers;

  bool operator==(const Labels&) const = default;
};

// Criteria, each of which is judged by itself.
struct Rubric {
  std::vector<Criterion> criteria;

  bool operator==(const Rubric&) const = default;
};

// Tests of a program.
struct Tests {
  std::string code;
  std::string entry_point;  // the function that they call; may be empty
  std::string prompt;       // stands before programs that do not define the entry point themselves

  bool operator==(const Tests&) const = default;
};

// What programs are run on, a reference's and the rollouts'.
struct Inputs {
  std::vector<std::string> inputs;

  bool operator==(const Inputs&) const = default;
};

// A reference that was made before the run.
struct MadeReference {
  std::string text;

  bool operator==(const MadeReference&) const = default;
};

// What a ticket brings with it, none where the reference is made of the group alone. Labels, rubric and tests are the
// row's, and come only with the estimator that may read them.
using Supervision = std::variant<std::monostate, Labels, Rubric, Tests, Inputs, MadeReference>;

// A text that is the reference as a whole, or has one answer in it.
struct WholeText {
  std::string text;

  bool operator==(const WholeText&) const = default;
};

// A program with the inputs on which it is compared; without any, those that its text brings.
struct Program {
  std::string text;
  std::vector<std::string> inputs;

  bool operator==(const Program&) const = default;
};

// What a judge holds responses against. Of Labels, the bare answers.
using Target = std::variant<WholeText, Labels, Rubric, Tests, Program>;

// How many criteria a response is judged by one at a time; 0 for a target that is no rubric.
inline std::size_t NumCriteria(const Target& target) {
  const auto* rubric = std::get_if<Rubric>(&target);
  return rubric == nullptr ? 0 : rubric->criteria.size();
}

}  // namespace autodidact::schema

// Requests to the judges that compare answers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "schema/types.h"

namespace autodidact::judge_service {

inline schema::JudgeRequest Request(schema::Target target, std::vector<std::string> responses) {
  schema::JudgeRequest request;
  request.ticket = 7;
  request.target = std::move(target);
  request.lengths.assign(responses.size(), 10);
  request.responses = std::move(responses);
  return request;
}

inline schema::JudgeRequest Request(const std::string& reference, std::vector<std::string> responses) {
  return Request(schema::WholeText{reference}, std::move(responses));
}

}  // namespace autodidact::judge_service

#include "judge_service/endpoint_backend.h"

#include <curl/curl.h>

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/format.h"
#include "base/log.h"
#include "base/rng.h"
#include "judge_service/endpoint_talk.h"

namespace autodidact::judge_service {
namespace {

constexpr std::size_t kLargestReply = 4 << 20;  // bytes
constexpr std::size_t kLongestExcerpt = 200;    // of a refusal's body
constexpr long kConnectTimeoutMs = 10'000;

struct Call {
  Task task;
  std::string request;
  std::string reply;
  Dialect dialect;  // of the request
  std::int64_t tries = 0;
  base::Clock::time_point not_before;
};

// libcurl's own set-up is thread-safe from 7.84 on; once per process.
void SetUpCurl() {
  static const CURLcode kCode = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (kCode != CURLE_OK) base::ThrowBug(std::string("libcurl cannot start: ") + curl_easy_strerror(kCode));
}

std::size_t Receive(char* data, std::size_t one, std::size_t size, void* to) {
  auto& reply = static_cast<Call*>(to)->reply;
  if (reply.size() + one * size > kLargestReply) return 0;
  reply.append(data, one * size);
  return one * size;
}

bool StatusMayPass(long status) {
  return status == 408 || status == 429 || status >= 500;
}

// Errors that another try cannot mend: the address, the certificate, a reply that is too large.
bool ErrorMayPass(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_WRITE_ERROR:
    case CURLE_OUT_OF_MEMORY:
      return false;
    default:
      return true;
  }
}

bool OnLoopback(const std::string& url) {
  for (const char* host : {"://127.", "://localhost", "://[::1]"}) {
    if (url.find(host) != std::string::npos) return true;
  }
  return false;
}

class EndpointBackend : public Backend {
 public:
  explicit EndpointBackend(EndpointConfig config) : config_(std::move(config)) {
    SetUpCurl();
    url_ = ChatUrl(config_.base_url);
    identity_ = base::Format("{}\n{}\n{}", url_, config_.talk.model, config_.talk.system);
    multi_ = curl_multi_init();
    AddHeader("Content-Type: application/json");
    AddHeader("Expect:");
    if (!config_.api_key.empty()) AddHeader(("Authorization: Bearer " + config_.api_key).c_str());
  }

  ~EndpointBackend() override {
    for (auto& [handle, call] : running_) Close(handle);
    curl_slist_free_all(headers_);
    curl_multi_cleanup(multi_);
  }

  void Start(Task task) override {
    Call& call = *waiting_.emplace_back(std::make_unique<Call>());
    call.task = std::move(task);
    call.not_before = base::Clock::now();
  }

  std::vector<TaskResult> Step(base::Deadline until) override {
    std::vector<TaskResult> results;
    while (true) {
      Send();
      int still_running = 0;
      Require(curl_multi_perform(multi_, &still_running));
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg == CURLMSG_DONE) Finish(message->easy_handle, message->data.result, results);
      }
      if (!results.empty() || idle() || until.Passed()) return results;
      const auto wait = std::min(until.Left(), NextSend()) + base::Milliseconds(1);
      Require(curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait.count()), nullptr));
    }
  }

  bool idle() const override { return waiting_.empty() && running_.empty(); }
  const std::string& identity() const override { return identity_; }

 private:
  using OwnedCall = std::unique_ptr<Call>;

  static void Require(CURLMcode code) {
    if (code != CURLM_OK) base::ThrowBug(std::string("libcurl: ") + curl_multi_strerror(code));
  }

  void AddHeader(const char* line) { headers_ = curl_slist_append(headers_, line); }

  bool HasPlace() const { return std::ssize(running_) < config_.concurrency; }

  base::Clock::time_point ReadyAt(const Call& call) const { return std::max(call.not_before, closed_until_); }

  // Until a waiting call may be sent; a long time when none may.
  base::Milliseconds NextSend() const {
    auto next = base::Clock::now() + std::chrono::hours(1);
    if (HasPlace()) {
      for (const OwnedCall& call : waiting_) next = std::min(next, ReadyAt(*call));
    }
    return base::Deadline(next).Left();
  }

  void Send() {
    const auto now = base::Clock::now();
    for (auto at = waiting_.begin(); at != waiting_.end() && HasPlace();) {
      if (ReadyAt(**at) > now) {
        ++at;
        continue;
      }
      OwnedCall call = std::move(*at);
      at = waiting_.erase(at);
      Open(std::move(call));
    }
  }

  void Open(OwnedCall call) {
    CURL* handle = curl_easy_init();
    AD_CHECK(handle != nullptr, "libcurl gave no handle");
    ++call->tries;
    call->reply.clear();
    call->dialect = dialect_;
    call->request = RequestBody(config_.talk, dialect_, call->task);
    const auto timeout = static_cast<long>(config_.timeout.count());
    curl_easy_setopt(handle, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call->request.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call->request.size()));
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, Receive);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, call.get());
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, std::min(timeout, kConnectTimeoutMs));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    if (OnLoopback(url_)) curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    Require(curl_multi_add_handle(multi_, handle));
    running_[handle] = std::move(call);
  }

  void Close(CURL* handle) {
    curl_multi_remove_handle(multi_, handle);
    curl_easy_cleanup(handle);
  }

  void Finish(CURL* handle, CURLcode code, std::vector<TaskResult>& results) {
    long status = 0;
    curl_off_t retry_after = 0;  // seconds; libcurl reads both forms of the header
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
    const auto at = running_.find(handle);
    OwnedCall call = std::move(at->second);
    running_.erase(at);
    const char* location = nullptr;  // lives as long as the handle
    curl_easy_getinfo(handle, CURLINFO_REDIRECT_URL, &location);
    const std::string redirect = location ? location : "";
    Close(handle);
    std::string said = call->reply;
    if (code == CURLE_OK && status == 200) {
      const ReplyBody reply = ReadBody(call->reply);
      if (reply.status == 200) return Read(*call, reply, results);
      status = reply.status;
      said = reply.error;
    }
    if (code == CURLE_OK && Learnt(*call, status, said)) return Repeat(std::move(call));
    const bool may_pass = code == CURLE_OK ? StatusMayPass(status) : ErrorMayPass(code);
    if (may_pass && call->tries <= config_.retries) return Postpone(std::move(call), retry_after);
    std::string reason = code == CURLE_OK            ? base::Format("HTTP {}: {}", status, Excerpt(said))
                         : code == CURLE_WRITE_ERROR ? base::Format("its reply has more than {} bytes", kLargestReply)
                                                     : curl_easy_strerror(code);
    if (!redirect.empty()) reason += base::Format("; it redirects to {}, which is not followed", Excerpt(redirect));
    reason = base::Format("the judge's endpoint failed after {} tries: {} ({})", call->tries, reason,
                          url_.substr(0, url_.find('?')));
    base::LogWarning("{}", reason);
    Answer(*call, {schema::VerdictKind::kInvalid, reason, false}, results);
  }

  // Whether the endpoint refused a parameter that the next request is without. Others may have learnt it meanwhile.
  bool Learnt(const Call& call, long status, const std::string& said) {
    if (status != 400 && status != 422) return false;
    if (Adapted(call.dialect, said) == call.dialect) return false;
    const Dialect adapted = Adapted(dialect_, said);
    if (adapted != dialect_)
      base::LogInfo("the judge's endpoint does not take a parameter; it is left out: {}", Excerpt(said));
    dialect_ = adapted;
    return true;
  }

  void Repeat(OwnedCall call) {
    call->not_before = base::Clock::now();
    waiting_.push_back(std::move(call));
  }

  void Read(const Call& call, const ReplyBody& reply, std::vector<TaskResult>& results) {
    auto verdicts = ReadReply(reply, config_.talk, call.task.items.size());
    if (!verdicts.ok()) {
      return Answer(call, {schema::VerdictKind::kInvalid, verdicts.failure().reason, true}, results);
    }
    results.push_back({call.task.id, std::move(*verdicts)});
  }

  static void Answer(const Call& call, const ItemVerdict& verdict, std::vector<TaskResult>& results) {
    results.push_back({call.task.id, std::vector<ItemVerdict>(call.task.items.size(), verdict)});
  }

  // Back-off doubles with each try; the jitter takes up to half of it, so that calls that failed together part.
  void Postpone(OwnedCall call, curl_off_t retry_after) {
    const auto now = base::Clock::now();
    const auto doublings = static_cast<int>(std::min<std::int64_t>(call->tries - 1, 20));
    const auto pause = std::min(config_.max_backoff, config_.backoff * (std::int64_t{1} << doublings));
    const base::RandomKey key{config_.seed, base::RandomStream::kJudge, call->task.id, 0};
    const double jitter = 1 - 0.5 * base::UniformAt(key, static_cast<std::uint32_t>(call->tries));
    call->not_before = now + std::chrono::duration_cast<base::Clock::duration>(pause * jitter);
    if (retry_after > 0) {
      const auto asked = std::min<base::Clock::duration>(std::chrono::seconds(retry_after), kLongestRetryAfter);
      closed_until_ = std::max(closed_until_, now + asked);
    }
    waiting_.push_back(std::move(call));
  }

  // One line of what a refusal says, without the key in case that it repeats it.
  std::string Excerpt(std::string text) const {
    for (auto at = std::string::npos; !config_.api_key.empty() && (at = text.find(config_.api_key)) != text.npos;) {
      text.replace(at, config_.api_key.size(), "[the key]");
    }
    text.resize(std::min(text.size(), kLongestExcerpt));
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return text;
  }

  EndpointConfig config_;
  std::string url_;
  std::string identity_;
  Dialect dialect_;
  CURLM* multi_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::deque<OwnedCall> waiting_;
  std::unordered_map<CURL*, OwnedCall> running_;
  base::Clock::time_point closed_until_{};  // Retry-After is about the endpoint, not about one call
};

}  // namespace

std::unique_ptr<Backend> MakeEndpointBackend(EndpointConfig config) {
  return std::make_unique<EndpointBackend>(std::move(config));
}

}  // namespace autodidact::judge_service

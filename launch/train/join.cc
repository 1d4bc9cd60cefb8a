#include <algorithm>
#include <random>

#include "base/log.h"
#include "launch/job/plan.h"
#include "launch/train/roles.h"
#include "launch/train/training.h"
#include "launch/wiring/wiring.h"
#include "net/interfaces.h"
#include "process/child.h"

namespace autodidact::launch {
namespace {

// Of a role's process when the run is over: what it is in the middle of is of no use to anybody.
constexpr auto kRoleLeaving = std::chrono::seconds(5);

// The anchor computes with the initial weights, and an actor that selects by them: others get the model's config alone.
LoadedModel LoadForRole(const RunConfig& config, schema::RoleKind kind) {
  if (kind == schema::RoleKind::kAnchor || (kind == schema::RoleKind::kActor && SelectionInTraining(config)))
    return LoadModelFolder(config.model, config.device, ScalarTypeOf(config.dtype));
  LoadedModel loaded;
  const model::ModelConfig shape = model::ReadModelConfig(config.model);
  loaded.tokenizer = LoadTokenizer(config.model, shape);
  loaded.weights = std::make_shared<const model::WeightSet>(shape, model::Parameters{}, 0);
  return loaded;
}

// Where a role of another machine listens: on the address by which it reaches the learner.
std::string BindTowards(const Ticket& ticket) {
  constexpr std::string_view kTcp = "tcp://";
  const std::string host = ticket.learner.substr(kTcp.size(), ticket.learner.rfind(':') - kTcp.size());
  const std::string address = net::AddressTowards(host);
  if (address.empty()) {
    base::ThrowBadInput(
        base::Format("no route leads from here to the learner at {}: is it another network, or was "
                     "the run started on one machine (network.address)?",
                     ticket.learner));
  }
  return base::Format("tcp://{}:{}", address, ticket.ports);
}

// As whom of the names in the ticket: the one it was made for, the one of this index, or any.
std::string NameIn(const Ticket& ticket, const std::string& kind, std::optional<std::int64_t> index) {
  if (!ticket.name.empty()) return ticket.name;
  if (index) return base::Format("{}-{}", kind, *index);
  std::vector<std::string> names;
  for (const auto& [name, pair] : ticket.keys) {
    if (name.starts_with(kind + "-")) names.push_back(name);
  }
  if (names.empty()) base::ThrowBadInput("the ticket has no key of any " + kind);
  std::random_device random;
  return names[random() % names.size()];
}

}  // namespace

void JoinRun(const RunConfig& config, const std::string& kind, const JoinOptions& options, process::Ending& ending) {
  const schema::RoleKind role = membership::RoleKindNamed(kind);
  Ticket ticket = ReadTicket(options.ticket);
  const std::string name = NameIn(ticket, kind, options.index);
  const net::Security security = ticket.SecurityOf(name);
  if (ticket.bind.empty()) ticket.bind = BindTowards(ticket);
  const LoadedModel model = LoadForRole(config, role);
  net::Context context;
  const RoleSetting setting{
      .config = config,
      .context = context,
      .security = security,
      .learner = ticket.learner,
      .bind = ticket.bind,
      .index = std::stol(name.substr(name.find('-') + 1)),
      .initial = model.weights,
      .tokenizer = *model.tokenizer,
      .local_store = nullptr,
      .on_over = [&ending] { ending.EndBy(base::Deadline::In(kRoleLeaving), process::kExitDone); }};
  WorkAs(role, setting, ending.stop());
}

void CopyTicket(const std::string& run, const std::string& out) {
  const std::filesystem::path held = std::filesystem::path(run) / kJoinersTicket;
  if (!std::filesystem::exists(held)) {
    base::ThrowBadInput(
        base::Format("{}: no ticket is there: is a run of several processes under way in this folder?", held.string()));
  }
  WriteTicket(out, ReadTicket(held.string()));
}

}  // namespace autodidact::launch

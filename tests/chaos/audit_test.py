#!/usr/bin/env python3
"""The audit must see a loss, a double, a zero and other weights, which are planted into records that it finds good."""
import json
import pathlib
import shutil
import tempfile
import unittest

import audit

STEPS, GROUPS = 4, 3


def group(ticket, **more):
    return {"step": ticket // GROUPS + 1, "ticket": ticket, "id": f"u{ticket}", "completions": ["a", "b"],
            "rewards": [1.0, 0.0], "reward_failures": [None, None], "reference": "a", "failure": None} | more


def write_rows(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def make_run(folder):
    (folder / "rollouts").mkdir(parents=True)
    write_rows(folder / "metrics.jsonl",
               [{"step": s, "groups/received": GROUPS, "groups/dropped": 0} for s in range(1, STEPS + 1)])
    for step in range(1, STEPS + 1):
        write_rows(folder / f"rollouts/step_{step:06d}.jsonl",
                   [group(t) for t in range((step - 1) * GROUPS, step * GROUPS)])
    model = folder / f"checkpoints/step_{STEPS:06d}/model"
    model.mkdir(parents=True)
    (model / "model.safetensors").write_bytes(b"weights")


class AuditTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.run_folder, self.quiet = self.folder / "run", self.folder / "quiet"
        make_run(self.run_folder)
        make_run(self.quiet)

    def change_groups(self, change, step=2):
        file = self.run_folder / f"rollouts/step_{step:06d}.jsonl"
        write_rows(file, change([json.loads(line) for line in file.read_text().splitlines()]))

    def change_metrics(self, change):
        file = self.run_folder / "metrics.jsonl"
        write_rows(file, change([json.loads(line) for line in file.read_text().splitlines()]))

    def require_finding(self, part):
        findings = audit.findings_of(self.run_folder, self.quiet)
        self.assertTrue(any(part in finding for finding in findings), findings)

    def test_records_that_are_whole_are_found_good(self):
        self.assertEqual(audit.findings_of(self.run_folder, self.quiet), [])

    def test_a_lost_prompt_is_found_and_named(self):
        self.change_groups(lambda rows: rows[1:])
        self.require_finding("step 2 has 1 holes, and its metrics say 0: ticket 3")

    def test_a_hole_that_is_recorded_is_a_loss_too(self):
        self.change_groups(lambda rows: rows[1:])
        self.change_metrics(lambda rows: [
            row | ({"groups/received": GROUPS - 1, "groups/dropped": 1} if row["step"] == 2 else {}) for row in rows])
        self.require_finding("step 2 has 1 holes, as its metrics say: ticket 3")

    def test_a_prompt_that_counts_twice_is_found(self):
        self.change_groups(lambda rows: rows + rows[:1])
        self.require_finding("ticket 3 is counted 2 times")

    def test_a_prompt_that_counts_again_in_a_later_step_is_found(self):
        self.change_groups(lambda rows: rows + [group(3, step=3)], step=3)
        self.require_finding("ticket 3 is counted 2 times")
        self.require_finding("ticket 3 of step 2 is counted in step 3")

    def test_another_prompt_under_a_ticket_is_found(self):
        self.change_groups(lambda rows: [rows[0] | {"id": "other"}] + rows[1:])
        self.require_finding("ticket 3: other id than in the quiet run")

    def test_a_failed_reward_that_became_zero_is_found(self):
        self.change_groups(lambda rows: [rows[0] | {"reward_failures": [None, "the judge did not answer"]}] + rows[1:])
        self.require_finding("ticket 3, rollout 1: rewarded with 0.0 though it failed: the judge did not answer")

    def test_a_failed_group_that_became_zeros_is_found(self):
        self.change_groups(lambda rows: [rows[0] | {"failure": "no anchor", "rewards": [0.0, 0.0]}] + rows[1:])
        self.require_finding("ticket 3 has rewards though it failed: no anchor")

    def test_a_zero_without_a_trace_is_found_by_the_quiet_run(self):
        self.change_groups(lambda rows: [rows[0] | {"rewards": [0.0, 0.0]}] + rows[1:])
        self.require_finding("ticket 3: other rewards than in the quiet run")

    def test_no_reward_without_a_reason_is_found(self):
        self.change_groups(lambda rows: [rows[0] | {"rewards": [1.0, None]}] + rows[1:])
        self.require_finding("ticket 3, rollout 1: no reward and no reason")

    def test_steps_that_are_missing_or_double_are_found(self):
        self.change_metrics(lambda rows: rows[:1] + rows[:1] + rows[2:])
        self.require_finding("step 1 is 2 times in metrics.jsonl")
        self.require_finding("not in metrics.jsonl: step 2")

    def test_a_file_of_groups_that_is_missing_is_found(self):
        (self.run_folder / "rollouts/step_000003.jsonl").unlink()
        self.require_finding("no file of groups: step 3")

    def test_a_torn_line_is_found(self):
        with open(self.run_folder / "metrics.jsonl", "a") as file:
            file.write('{"step": 4')
        self.require_finding("metrics.jsonl: a line is no JSON")

    def test_other_weights_and_none_are_found(self):
        model = self.run_folder / f"checkpoints/step_{STEPS:06d}/model/model.safetensors"
        model.write_bytes(b"weighty")
        self.require_finding(f"the weights of step {STEPS} are not those of the quiet run")
        model.unlink()
        self.require_finding(f"no weights of step {STEPS} in the run")

    def test_a_quiet_run_that_is_not_whole_is_no_measure(self):
        write_rows(self.quiet / "rollouts/step_000002.jsonl", [group(3), group(4)])
        self.require_finding("quiet run: step 2 has 1 holes")


class TableTest(unittest.TestCase):
    QUIET = [{"event": "start", "time": 0, "steps": 0}, {"event": "end", "time": 10, "steps": 10, "code": 0}]

    def log(self, *faults):
        return ([{"event": "start", "time": 0, "steps": 0}] + list(faults) +
                [{"event": "end", "time": 40, "steps": 10, "code": 0}])

    def test_what_is_lost_is_charged_to_the_fault_before_and_adds_up(self):
        log = self.log({"event": "fault", "time": 2, "steps": 2, "kind": "kill", "role": "actor"},
                       {"event": "fault", "time": 20, "steps": 5, "kind": "stop", "role": "judge"})
        lost = {kind: seconds - steps for kind, seconds, steps, _ in audit.windows(log)}
        self.assertEqual(lost, {"no fault": 0, "kill actor": 15, "stop judge": 15})
        self.assertIn("useful time at steps of 60 s and a fault every 10 steps: 97.6%",
                      list(audit.table_of([(log, self.QUIET)]))[-1])

    def test_what_comes_long_after_the_last_fault_is_not_charged_to_it(self):
        log = self.log({"event": "fault", "time": 2, "steps": 2, "kind": "kill", "role": "actor"},
                       {"event": "settled", "time": 10, "steps": 9})
        self.assertEqual(audit.windows(log)[1:], [["kill actor", 8, 7, 1], ["no fault", 30, 1, 0]])

    def test_a_fault_that_joins_another_is_charged_with_it(self):
        log = self.log({"event": "fault", "time": 2, "steps": 2, "kind": "kill", "role": "actor"},
                       {"event": "fault", "time": 3, "steps": 2, "kind": "kill", "role": "judge", "joined": True})
        self.assertEqual(audit.windows(log)[1:], [["two at once", 38, 8, 2]])


if __name__ == "__main__":
    unittest.main()

"""This is what every memory promises about its records; it runs on each of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.stores import AuditEntry, OutboxEvent, Stores
from tests.builders import A_DAY, LG_CHEM, SAMSUNG
from tests.store_samples import AT, NEXT_DAY, SETTLED, a_risk_event, in_one
from trading.audits import BEGINNING, first_flaw
from trading.configs import ConfigVersion
from trading.decisions import Breach, Verdict
from trading.equity import EquityPoint
from trading.errors import BadInput
from trading.evidence import Evidence, EvidenceKind
from trading.halts import Halt, TradingState


class TestRecords:
    def test_refusals_keep_their_figures(self, memory: Stores) -> None:
        second = a_risk_event(breach=Breach("CASH", "none left"))
        tomorrow = a_risk_event(trading_day=NEXT_DAY)
        in_one(memory, lambda work: work.risk_events.add([a_risk_event(), second, tomorrow]))
        with memory.begin() as work:
            assert work.risk_events.of_day(A_DAY) == (a_risk_event(), second)
            event = work.outbox.after(0)[0]
        assert event.topic == "risk.event"
        assert (event.payload["rule_id"], event.payload["figures"]) == (
            "WEIGHT",
            {"weight": "0.21"},
        )

    def test_rules_that_passed_are_kept_and_not_told(self, memory: Stores) -> None:
        figures = {"need": "1", "available": "2"}
        good = a_risk_event(breach=Breach("CASH", "", figures), verdict=Verdict.PASSED)
        other = a_risk_event(client_order_id="other")
        in_one(memory, lambda work: work.risk_events.add([a_risk_event(), good, other]))
        in_one(memory, lambda work: work.risk_events.add([]))
        name = good.client_order_id
        with memory.begin() as work:
            assert work.risk_events.of_day(A_DAY) == (a_risk_event(), other)
            assert work.risk_events.of_order(name, A_DAY) == (a_risk_event(), good)
            assert work.risk_events.of_order(name, NEXT_DAY) == ()
            assert len(work.outbox.pending()) == len((a_risk_event(), other))

    def test_one_halt_per_source_and_strategy(self, memory: Stores) -> None:
        reduce = Halt("trip:DAILY_LOSS", TradingState.REDUCING, "-1.9 %", AT)
        stop = replace(reduce, state=TradingState.HALTED, at=AT + timedelta(minutes=1))
        other = Halt("operator", TradingState.HALTED, "lunch", AT, strategy_id="trend")
        with memory.begin() as work:
            assert work.halts.put(reduce)
            assert work.halts.put(other)
            assert not work.halts.put(replace(reduce, reason="again"))
            assert work.halts.in_force() == (other, reduce)
            assert work.halts.put(stop)
        assert in_one(memory, lambda work: work.halts.in_force()) == (other, stop)

    def test_halts_of_single_symbols_stand_beside_each_other(self, memory: Stores) -> None:
        everything = Halt("reconciliation", TradingState.HALTED, "cash differs", AT)
        one = replace(everything, reason="3 more than ours", symbol=LG_CHEM)
        other = replace(everything, reason="2 fewer than ours", symbol=SAMSUNG)
        with memory.begin() as work:
            assert [work.halts.put(halt) for halt in (one, everything, other)] == [True] * 3
            assert not work.halts.put(replace(one, reason="again"))
            assert work.halts.in_force() == (everything, other, one)
            assert work.halts.lift("reconciliation", symbol=LG_CHEM, reason="sold", at=AT)
            assert not work.halts.lift("reconciliation", symbol=LG_CHEM, reason="sold", at=AT)
        assert in_one(memory, lambda work: work.halts.in_force()) == (everything, other)

    def test_a_lifted_halt_is_gone_and_may_come_again(self, memory: Stores) -> None:
        halt = Halt("operator", TradingState.HALTED, "lunch", AT)
        with memory.begin() as work:
            work.halts.put(halt)
            assert not work.halts.lift("operator", strategy_id="trend", reason="", at=AT)
            assert work.halts.lift("operator", reason="fed", at=AT)
            assert not work.halts.lift("operator", reason="fed", at=AT)
            assert work.halts.in_force() == ()
            assert work.halts.put(halt)
            assert work.halts.in_force() == (halt,)

    def test_active_is_no_halt(self, memory: Stores) -> None:
        with pytest.raises(BadInput, match="state"), memory.begin() as work:
            work.halts.put(Halt("operator", TradingState.ACTIVE, "", AT))

    def test_the_days_opening_equity_is_kept(self, memory: Stores) -> None:
        with memory.begin() as work:
            work.equity.put(EquityPoint(NEXT_DAY, 5, 6))
            work.equity.put(EquityPoint(A_DAY, 1, 2, 3))
            work.equity.put(EquityPoint(A_DAY, 10, 20, 30))
        with memory.begin() as work:
            assert work.equity.get(A_DAY) == EquityPoint(A_DAY, 1, 20, 30)
            assert work.equity.get(SETTLED) is None
            assert [point.trading_day for point in work.equity.all()] == [A_DAY, NEXT_DAY]

    def test_the_brokers_newest_answer_about_a_day_counts(self, memory: Stores) -> None:
        with memory.begin() as work:
            work.calendar.put({NEXT_DAY: True, A_DAY: True}, at=AT)
            work.calendar.put({NEXT_DAY: False}, at=AT)
        answers = in_one(memory, lambda work: work.calendar.all())
        assert list(answers.items()) == [(A_DAY, True), (NEXT_DAY, False)]

    def test_settings_get_a_number_only_when_they_change(self, memory: Stores) -> None:
        def propose(digest: str) -> int | None:
            proposed = work.configs.propose({"is": digest}, digest=digest, reason="why", at=AT)
            return proposed.version if proposed else None

        with memory.begin() as work:
            assert work.configs.newest() is None
            assert [propose(digest) for digest in "aabba"] == [1, None, 2, None, 3]
        third = ConfigVersion(3, "a", {"is": "a"}, "why", AT)
        with memory.begin() as work:
            assert work.configs.newest() == work.configs.get(3) == third
            assert [config.version for config in work.configs.all()] == [1, 2, 3]
            assert work.configs.get(4) is None

    def test_other_code_with_the_same_settings_is_another_version(self, memory: Stores) -> None:
        commits = ("a" * 40, "a" * 40, "b" * 40)
        with memory.begin() as work:
            made = [work.configs.propose({}, digest="d", commit=c, at=AT) for c in commits]
        assert [config.version if config else None for config in made] == [1, None, 2]
        newest = in_one(memory, lambda work: work.configs.newest())
        assert newest == ConfigVersion(2, "d", {}, "", AT, commit="b" * 40)

    def test_the_newest_approved_version_is_in_force(self, memory: Stores) -> None:
        later = AT + timedelta(minutes=10)
        with memory.begin() as work:
            for digest in "abc":
                work.configs.propose({}, digest=digest, at=AT)
            assert work.configs.in_force() is None
            assert [work.configs.approve(n, at=later) for n in (1, 2, 2, 4)] == [
                True,
                True,
                False,
                False,
            ]
        assert in_one(memory, lambda work: work.configs.in_force()) == ConfigVersion(
            2, "b", {}, "", AT, later
        )

    def test_two_runs_that_propose_the_same_settings_make_one_version(self, memory: Stores) -> None:
        def propose(_: int) -> ConfigVersion | None:
            return in_one(memory, lambda w: w.configs.propose({"a": 1}, digest="a", at=AT))

        with ThreadPoolExecutor(4) as pool:
            assert [made.version for made in pool.map(propose, range(8)) if made] == [1]

    def test_the_oldest_events_leave_the_outbox_first(self, memory: Stores) -> None:
        events = [OutboxEvent("order.state", f"00000{n}", {"n": n}, AT) for n in range(5)]
        with memory.begin() as work:
            for event in events:
                work.outbox.add(event)
        pending = in_one(memory, lambda work: work.outbox.pending(limit=3))
        assert [event.key for event in pending] == [event.key for event in events[:3]]

    def test_the_audit_log_gives_the_newest_first(self, memory: Stores) -> None:
        acts = [AuditEntry("owner", f"act {n}", {"n": n}) for n in range(3)]
        with memory.begin() as work:
            for n, act in enumerate(acts):
                work.audit.add(act, at=AT + timedelta(minutes=n))
        newest = in_one(memory, lambda work: work.audit.last(count=2))
        assert newest == (
            (AT + timedelta(minutes=2), acts[2]),
            (AT + timedelta(minutes=1), acts[1]),
        )

    def test_the_audit_log_finds_the_newest_of_an_action(self, memory: Stores) -> None:
        actors = ("operator", "trip:clock", "operator")
        resumes = [AuditEntry(actor, "resume", {"n": n}) for n, actor in enumerate(actors)]
        with memory.begin() as work:
            for n, act in enumerate([*resumes, AuditEntry("operator", "halt")]):
                work.audit.add(act, at=AT + timedelta(minutes=n))
        found = in_one(
            memory,
            lambda work: (
                work.audit.latest("resume"),
                work.audit.latest("resume", actor="trip:clock"),
                work.audit.latest("resume", actor="trip:rejects"),
                work.audit.latest("rehearsed"),
            ),
        )
        newest, of_clock = (
            (AT + timedelta(minutes=2), resumes[2]),
            (AT + timedelta(minutes=1), resumes[1]),
        )
        assert found == (newest, of_clock, None, None)

    def test_the_audit_log_gives_all_of_some_actions_oldest_first(self, memory: Stores) -> None:
        acts = [AuditEntry("owner", name, {"n": n}) for n, name in enumerate(("a", "b", "c", "a"))]
        with memory.begin() as work:
            for n, act in enumerate(acts):
                work.audit.add(act, at=AT + timedelta(minutes=n))
        found = in_one(memory, lambda work: (work.audit.of("a", "b"), work.audit.of("d")))
        assert found == (tuple((AT + timedelta(minutes=n), acts[n]) for n in (0, 1, 3)), ())

    def test_every_audit_row_is_chained_to_the_one_before(self, memory: Stores) -> None:
        for n in range(3):
            with memory.begin() as work:
                work.audit.add(
                    AuditEntry("운영자", f"act {n}", {"n": n, "rate": 1.50, "a": "가"}), at=AT
                )
                work.audit.add(AuditEntry("owner", "look", {"at": AT.isoformat()}), at=AT)
        rows = in_one(memory, lambda work: work.audit.chain())
        assert [row.number for row in rows] == [1, 2, 3, 4, 5, 6]
        assert [row.before for row in rows] == [BEGINNING, *(row.digest for row in rows[:-1])]
        assert first_flaw(rows, mark=rows[-1].mark) is None
        assert rows[2].entry == AuditEntry("운영자", "act 1", {"n": 1, "rate": 1.5, "a": "가"})

    def test_an_act_is_seen_by_the_unit_of_work_that_wrote_it(self, memory: Stores) -> None:
        with memory.begin() as work:
            work.audit.add(AuditEntry("owner", "halt"), at=AT)
            assert work.audit.latest("halt") == (AT, AuditEntry("owner", "halt"))
            work.audit.add(AuditEntry("owner", "resume"), at=AT)
        assert [row.action for row in in_one(memory, lambda w: w.audit.chain())] == [
            "halt",
            "resume",
        ]

    def test_acts_at_the_same_time_form_one_chain(self, memory: Stores) -> None:
        def act(n: int) -> None:
            in_one(memory, lambda work: work.audit.add(AuditEntry("owner", f"{n}"), at=AT))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(act, range(12)))
        rows = in_one(memory, lambda work: work.audit.chain())
        assert sorted(int(row.action) for row in rows) == list(range(12))
        assert first_flaw(rows) is None

    def test_the_newest_evidence_of_its_kind_and_channel_counts(self, memory: Stores) -> None:
        tests = Evidence(EvidenceKind.TESTS, "a" * 40, "dev", AT, is_passed=True, figures={"n": 7})
        failed = replace(tests, made_at=AT + timedelta(hours=2), is_passed=False)
        between = replace(tests, made_at=AT + timedelta(hours=1))
        elsewhere = replace(failed, channel="paper", commit="", made_at=AT + timedelta(hours=3))
        other = replace(elsewhere, kind=EvidenceKind.PARITY, channel="dev")
        with memory.begin() as work:
            for evidence in (tests, failed, between, elsewhere, other):
                work.evidence.record(evidence)
        with memory.begin() as work:
            assert work.evidence.latest(EvidenceKind.TESTS, channel="dev") == failed
            assert work.evidence.last(EvidenceKind.TESTS, channel="dev", count=2) == (
                failed,
                between,
            )
            assert work.evidence.latest(EvidenceKind.TESTS, channel="paper") == elsewhere
            assert work.evidence.latest(EvidenceKind.REHEARSAL, channel="dev") is None

"""The scenarios as data: names, prompts, canaries, and which of them are needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest

from harness.contract.applicability import EVEN_IN_PART, applies_to_run, without
from harness.contract.requirement import Requirement, Selector, Source
from harness.contract.versions import VersionRange
from harness.fakes.script import Fail, HangUp, Say, Step, UseTool
from harness.findings import Level
from harness.mutants.named import NAMES
from harness.otlp.model import Protocol
from harness.running.responders import refuses_the_first
from harness.running.scenario import Scenario, Until
from harness.running.stage import Backend, opened
from harness.subject.interactive import AnswerPrompt, See, Type
from harness.subject.sandbox import FAKE_API_KEY
from harness.themes.canaries import CANARIES
from harness.themes.catalogue import SCENARIOS, needed
from harness.themes.folders import modules


def those(having: Callable[[Scenario], object]) -> pytest.MarkDecorator:
    """Parametrise over the scenarios for which ``having`` is true; there must be some."""
    found = {name: each for name, each in SCENARIOS.items() if having(each)}
    assert found, f"no scenario has what {having.__name__} looks for"
    return pytest.mark.parametrize("scenario", found.values(), ids=found)


def lasting_failures(scenario: Scenario) -> list[int]:
    """Where in the script the API fails for good, but for a failure that ends the script."""
    steps = scenario.steps(Path("/work"))
    found = [
        at
        for at, step in enumerate(steps)
        if isinstance(step, HangUp) or (isinstance(step, Fail) and step.times is None)
    ]
    return found if found and found[-1] != len(steps) - 1 else []


def seen_texts(scenario: Scenario) -> set[str]:
    """What the person at the terminal waits for."""
    return {act.text for act in scenario.acts if isinstance(act, See)}


def questions_in_a_row(scenario: Scenario) -> list[tuple[str, str]]:
    """What each pair of neighbouring permission prompts asks."""
    return list(pairwise(act.asks for act in scenario.acts if isinstance(act, AnswerPrompt)))


EVERY = those(lambda scenario: True)
REFUSING = {"main": Backend(responder=refuses_the_first)}
ACTS = (Type("Go."), See("gone"))


def requirement(**fields: Any) -> Requirement:
    return Requirement(
        name="a.requirement",
        level=Level.MUST,
        statement="Something holds.",
        source=Source("a", "b", "c", "d"),
        versions=VersionRange(),
        selects=Selector("event", "user_prompt"),
        **{"check": "present", **fields},
    )


def test_names_are_unique_and_fit_for_folders() -> None:
    assert {name: scenario.name for name, scenario in SCENARIOS.items()} == {
        name: name for name in SCENARIOS
    }
    assert all(name.isidentifier() and name.islower() for name in SCENARIOS)
    descriptions = [scenario.description for scenario in SCENARIOS.values()]
    assert len(set(descriptions)) == len(descriptions)


@EVERY
def test_a_scenario_has_exactly_one_kind_of_prompt(scenario: Scenario) -> None:
    kinds = [bool(scenario.prompt), bool(scenario.prompts), bool(scenario.acts)]
    assert kinds.count(True) == 1
    assert scenario.all_prompts or scenario.may_ask_nothing
    assert scenario.protocols
    assert len(set(scenario.protocols)) == len(scenario.protocols)


@EVERY
def test_no_prompt_is_taken_for_another(scenario: Scenario) -> None:
    """The scripted API finds a prompt by its text, also within another."""
    prompts = scenario.all_prompts
    assert all(one not in other for one, other in permutations(prompts, 2))
    texts = [step.text for step in scenario.steps(Path("/work")) if isinstance(step, Say)]
    assert not any(prompt in text for prompt in prompts for text in texts)


@EVERY
def test_the_script_is_made_for_a_work_tree(scenario: Scenario) -> None:
    steps = scenario.steps(Path("/a/place"))
    assert all(isinstance(step, Step | Until) for step in steps)
    asks = bool(scenario.all_prompts) and not scenario.api_unreachable
    assert bool(steps) is asks
    paths = [
        str(value)
        for step in steps
        if isinstance(step, UseTool)
        for key, value in step.input.items()
        if key.endswith("_path")
    ]
    assert all(path.startswith("/a/place/") for path in paths)


@those(seen_texts)
def test_what_is_said_at_the_end_of_a_part_can_be_seen(scenario: Scenario) -> None:
    said = {step.text for step in scenario.steps(Path("/work")) if isinstance(step, Say)}
    assert seen_texts(scenario) <= said


@those(questions_in_a_row)
def test_two_questions_in_a_row_do_not_ask_the_same(scenario: Scenario) -> None:
    assert all(one != other for one, other in questions_in_a_row(scenario))


@those(lasting_failures)
def test_a_failure_for_good_has_a_prompt_of_its_own(scenario: Scenario) -> None:
    """It ends with the next prompt: there must be one, or nothing may follow."""
    assert len(scenario.all_prompts) > len(lasting_failures(scenario))


def test_canaries_are_unique_and_survive_every_encoding() -> None:
    texts = list(CANARIES.values())
    assert not any(one in other for one, other in permutations(texts, 2))
    drawn = {name: text for name, text in CANARIES.items() if name != "api_key"}
    assert all(text.isascii() and text.isalnum() and len(text) >= 20 for text in drawn.values())
    assert FAKE_API_KEY.endswith(CANARIES["api_key"])


@those(lambda scenario: scenario.canaries)
def test_every_canary_of_a_scenario_is_somewhere_in_it(scenario: Scenario) -> None:
    with opened(scenario.backends, Protocol.HTTP_JSON) as stage:
        sandbox = stage.sandbox
        texts = [repr(replace(scenario, canaries={})), repr(scenario.steps(sandbox.work))]
        if scenario.prepare:
            texts += scenario.prepare(stage)
        texts += sandbox.env().values()
        texts += [
            path.read_text(encoding="utf-8", errors="replace")
            for path in sandbox.root.rglob("*")
            if path.is_file()
        ]
    hidden = {name: text for name, text in scenario.canaries.items() if text not in str(texts)}
    assert hidden == {}


@pytest.mark.parametrize(
    "kinds",
    [
        {},
        {"prompt": "a", "prompts": ("b",)},
        {"prompt": "a", "acts": ACTS},
        {"prompts": ("a",), "acts": ACTS},
    ],
)
def test_a_scenario_with_none_or_two_kinds_of_prompt_is_refused(kinds: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs one of prompt, prompts and acts"):
        Scenario("odd", "Cannot be.", **kinds)


@pytest.mark.parametrize(
    ("fields", "prompts", "traits"),
    [
        ({"prompt": "a"}, ("a",), ()),
        ({"prompt": "a", "traits": ("odd",)}, ("a",), ("odd",)),
        ({"prompts": ("a", "b")}, ("a", "b"), ("a_conversation",)),
        ({"acts": ACTS}, ("Go.",), ("a_terminal",)),
        ({"prompt": "a", "account": {"user.email": "a@example.com"}}, ("a",), ("an_account",)),
        ({"prompt": "a", "usage_frames": 2}, ("a",), ("usage_in_frames",)),
        ({"prompt": "a", "api_unreachable": True}, ("a",), ("an_unreachable_api",)),
        ({"prompt": "a", "backends": REFUSING}, ("a",), ("a_refusing_collector",)),
        ({"prompt": "a", "judged_only_by_name": True}, ("a",), ("judged_only_by_name",)),
    ],
)
def test_traits_follow_from_the_rest(
    fields: Mapping[str, Any], prompts: tuple[str, ...], traits: tuple[str, ...]
) -> None:
    scenario = Scenario("one", "Is one.", **fields)
    assert scenario.all_prompts == prompts
    assert scenario.all_traits == traits


def names(scenarios: tuple[Scenario, ...]) -> list[str]:
    return [scenario.name for scenario in scenarios]


def exports_what_is_asked(scenario: Scenario) -> bool:
    """Whether it is judged by every requirement, and has something to judge."""
    signal = requirement().selects.signal
    assert signal is not None
    return not scenario.judged_only_by_name and without(signal) not in scenario.traits


def test_a_requirement_of_one_scenario_needs_that_one() -> None:
    wanted = [requirement(scenarios=("working_day",)), requirement(scenarios=("cut_stream",))]
    assert names(needed(wanted)) == ["working_day", "cut_stream"]
    assert names(needed(wanted, only=["cut_stream", "toolbox"])) == ["cut_stream"]
    assert needed([]) == ()


def test_a_requirement_of_every_run_needs_all_in_their_order() -> None:
    assert names(needed([requirement()])) == [
        name for name, each in SCENARIOS.items() if exports_what_is_asked(each)
    ]
    assert names(needed([requirement()], only=["toolbox"])) == ["toolbox"]


def test_what_must_never_be_exported_is_judged_in_every_run_and_makes_none() -> None:
    """A release may hang in a run that nobody else needs."""
    never = requirement(params={EVEN_IN_PART: True})
    assert names(needed([never])) == names(needed([requirement()]))
    (run,) = SCENARIOS["settings_siem"].planned()
    assert applies_to_run(never, run)
    assert not applies_to_run(requirement(), run)


def test_what_is_given_is_looked_for_in_settings_and_traits() -> None:
    at_a_terminal = needed([requirement(given={"a_terminal": True})])
    assert names(at_a_terminal) == [
        name for name, each in SCENARIOS.items() if each.acts and not each.judged_only_by_name
    ]
    elsewhere = needed([requirement(given={"a_terminal": False})])
    together = {name for name, each in SCENARIOS.items() if exports_what_is_asked(each)}
    assert set(names(elsewhere)) == together - set(names(at_a_terminal))
    opened = needed([requirement(given={"OTEL_LOG_USER_PROMPTS": "1"})])
    assert names(opened) == [
        name for name, each in SCENARIOS.items() if each.environment.get("OTEL_LOG_USER_PROMPTS")
    ]
    assert opened != ()
    both = requirement(given={"a_terminal": True}, scenarios=("working_day",))
    assert needed([both]) == ()


def test_only_scenarios_over_its_protocols_are_needed() -> None:
    over_grpc = requirement(protocols=("grpc",))
    assert needed([over_grpc], protocols=[Protocol.HTTP_JSON]) == ()
    there = needed([over_grpc], protocols=[Protocol.GRPC])
    assert "working_day" in names(there)
    assert all(Protocol.GRPC in each.protocols for each in there)
    assert names(needed([over_grpc])) == names(there)
    assert len(there) < len(needed([requirement()]))


def test_a_planned_run_is_called_as_one_that_was_made() -> None:
    planned = SCENARIOS["working_day"].planned([Protocol.HTTP_JSON])
    assert [run.label for run in planned] == ["working_day over http/json"]
    assert len(SCENARIOS["working_day"].planned()) == len(Protocol)


def test_every_protocol_is_spoken() -> None:
    assert {p for each in SCENARIOS.values() for p in each.protocols} == set(Protocol)
    assert SCENARIOS["working_day"].protocols == tuple(Protocol)


def test_no_two_lies_have_one_name() -> None:
    """One that hides another would be told in its place, and leave a promise without a mutant."""
    own = [name for module in modules("mutants") for name in module.LIES]
    names = Counter([*own, *NAMES])
    assert {name for name, number in names.items() if number > 1} == set()

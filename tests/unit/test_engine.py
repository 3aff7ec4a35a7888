"""How Rasa is run here: actions in its process and over HTTP, and shortcuts with the same outcome."""

import asyncio
import copy
import inspect
import json
from dataclasses import replace
from datetime import UTC, datetime
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import jsonschema
import pytest
import rasa.core.agent
import rasa.core.tracker_store
from rasa.core.actions.action import RemoteAction
from rasa.core.agent import Agent
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import InMemoryTrackerStore, TrackerStore
from rasa.engine.exceptions import GraphComponentException, GraphRunError
from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema, SchemaNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.training.hooks import TrainingHook
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, ReminderScheduled, SlotSet
from rasa.shared.core.slots import AnySlot
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

from backtalk.check_in import DUE
from backtalk.engine.actions import ActionServer, ActionsInProcess, load_actions
from backtalk.engine.shortcuts import take_shortcuts
from backtalk.engine.tracker_store import RememberingTrackerStore


def speak(dispatcher, tracker, domain):
    dispatcher.utter_message(text=f"You said {tracker.latest_message['text']}.")
    return [{"event": "slot", "timestamp": None, "name": "told", "value": tracker.get_slot("regions")}]


def change_in_place(dispatcher, tracker, domain):
    tracker.get_slot("regions").append("cervical")
    tracker.slots["said"]["fever"] = "I am hot"
    return [{"event": "slot", "timestamp": None, "name": "regions", "value": tracker.get_slot("regions")}]


def answer_in_tuples(dispatcher, tracker, domain):
    return [{"event": "slot", "timestamp": None, "name": "regions", "value": ("lumbar", "cervical")}]


def decline(dispatcher, tracker, domain):
    raise ActionExecutionRejection("decline", "Not now.")


def break_down(dispatcher, tracker, domain):
    raise KeyError("broken")


@pytest.fixture(scope="module")
def executor():
    """An executor with a few actions."""
    executor = ActionExecutor()
    for action in (speak, change_in_place, answer_in_tuples, decline, break_down):
        executor.register_function(action.__name__, action)
    return executor


def call(action, **tracker):
    """What Rasa asks an action server to run."""
    state = {
        "sender_id": "visitor",
        "slots": {"regions": ["lumbar"], "said": {}},
        "latest_message": {"text": "ouch"},
        "events": [],
        "paused": False,
        "followup_action": None,
        "active_loop": {},
        "latest_action_name": "action_listen",
        **tracker,
    }
    return {"next_action": action, "sender_id": "visitor", "tracker": state, "domain": {}}


class TestActionsInProcess:
    @pytest.fixture
    def run(self, executor):
        endpoint = ActionsInProcess(executor, "http://127.0.0.1:9/webhook")
        return lambda request: asyncio.run(endpoint.request(json=request, method="post"))

    def test_runs_an_action(self, run):
        reply = run(call("speak"))
        assert reply["events"] == [{"event": "slot", "timestamp": None, "name": "told", "value": ["lumbar"]}]
        assert [response["text"] for response in reply["responses"]] == ["You said ouch."]

    def test_a_slot_changed_in_place_does_not_change_rasas(self, run):
        request = call("change_in_place")
        before = copy.deepcopy(request)
        assert run(request)["events"][0]["value"] == ["lumbar", "cervical"]
        assert request == before

    def test_replies_as_json_would(self, run):
        assert run(call("answer_in_tuples"))["events"][0]["value"] == ["lumbar", "cervical"]

    def test_what_it_replies_is_rasas_alone(self, run):
        request = call("speak")
        run(request)["events"][0]["value"].append("thoracic")
        assert request["tracker"]["slots"]["regions"] == ["lumbar"]

    def test_a_rejection_is_the_error_that_rasa_expects(self, run):
        with pytest.raises(ClientResponseError) as caught:
            run(call("decline"))
        assert caught.value.status == 400
        assert json.loads(caught.value.text) == {"action_name": "decline", "error": "Not now."}

    def test_an_unknown_action_is_no_silence(self, run):
        with pytest.raises(ActionNotFoundException):
            run(call("no_such_action"))

    def test_an_action_that_breaks_down_is_no_silence(self, run):
        with pytest.raises(KeyError):
            run(call("break_down"))

    def test_rasas_events_are_made_of_the_reply(self, run):
        (event,) = [Event.from_parameters(event) for event in run(call("speak"))["events"]]
        assert event == SlotSet("told", ["lumbar"])

    def test_the_projects_actions_run(self, domain):
        executor = load_actions("actions")
        assert set(domain["actions"]) <= set(executor.actions)
        endpoint = ActionsInProcess(executor, "http://127.0.0.1:9/webhook")
        reply = asyncio.run(endpoint.request(json=call("action_greet")))
        assert [response["response"] for response in reply["responses"]] == ["utter_greet"]


class TestActionServer:
    @pytest.fixture(scope="class")
    @classmethod
    def address(cls, executor):
        """The address of an action server on a free port."""
        server, loop = ActionServer(executor, "127.0.0.1", 0), asyncio.new_event_loop()
        loop.run_until_complete(server.start())
        thread = Thread(target=loop.run_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server._socket.getsockname()[1]}"
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        server._socket.close()

    @pytest.fixture
    def ask(self, address):
        """Posts to the server, or gets where there is no body; returns the status and what came back."""

        def ask(path, body=None):
            body = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
            try:
                with urlopen(Request(address + path, body, {"Content-Type": "application/json"}), timeout=30) as reply:
                    return reply.status, json.load(reply)
            except HTTPError as error:
                with error:
                    return error.code, json.load(error)

        return ask

    def test_says_that_it_is_there(self, ask):
        assert ask("/health") == (200, {"status": "ok"})

    def test_lists_its_actions(self, ask, executor):
        status, listed = ask("/actions")
        assert status == 200
        assert {action["name"] for action in listed} == set(executor.actions)

    def test_runs_an_action(self, ask, executor):
        in_process = asyncio.run(ActionsInProcess(executor, "http://127.0.0.1:9").request(json=call("speak")))
        assert ask("/webhook", call("speak")) == (200, in_process)

    def test_a_long_conversation_is_no_hindrance(self, ask):
        events = [{"event": "user", "text": "ouch " * 200}] * 3000
        assert ask("/webhook", call("speak", events=events))[0] == 200

    @pytest.mark.parametrize(
        "body",
        [b"", b"{not json", b"\xff\xfe", b"[]", b"7", b"null", {}, {"next_action": "speak"}, {"tracker": [1]}],
        ids=ascii,
    )
    def test_rubbish_is_refused(self, ask, body):
        status, reply = ask("/webhook", body)
        assert status == 400
        assert reply["error"]

    def test_an_unknown_action_is_not_found(self, ask):
        status, reply = ask("/webhook", call("no_such_action"))
        assert status == 404
        assert reply["action_name"] == "no_such_action" and reply["error"]

    def test_a_rejection_is_told_as_rasa_expects_it(self, ask):
        assert ask("/webhook", call("decline")) == (400, {"action_name": "decline", "error": "Not now."})

    def test_goes_on_behind_an_action_that_broke_down(self, address, ask):
        with pytest.raises(HTTPError) as caught:
            urlopen(Request(f"{address}/webhook", json.dumps(call("break_down")).encode()), timeout=30)
        with caught.value:
            assert caught.value.code == 500
        assert ask("/webhook", call("speak"))[0] == 200

    def test_a_port_in_use_is_refused_at_once(self, address, executor):
        with pytest.raises(OSError, match="in use"):
            ActionServer(executor, "127.0.0.1", int(address.rsplit(":", 1)[1]))


class Adder(GraphComponent):
    """Adds numbers up, and keeps count of how often it did."""

    runs: list = []

    def __init__(self, name):
        self._name = name

    @classmethod
    def create(cls, config, model_storage, resource, execution_context):
        return cls(execution_context.node_name)

    def add(self, one, other=0):
        self.runs.append(self._name)
        return one + other + 1

    def pair(self, one, other):
        return one, other

    def fail(self, one):
        raise ValueError("cannot add")


def adder(needs, fn="add"):
    return SchemaNode(needs=needs, uses=Adder, constructor_name="create", fn=fn, config={}, eager=True)


GRAPH = GraphSchema(
    {
        "left": adder({"one": "shared"}),
        "shared": adder({"one": "start"}),
        "right": adder({"one": "shared", "other": "start"}),
        "both": adder({"one": "left", "other": "right"}),
        "aside": adder({"one": "start"}),
        "broken": adder({"one": "start"}, fn="fail"),
        "behind": adder({"one": "broken"}),
        "apart": adder({"other": "wanted", "one": "start"}, fn="pair"),
    }
)


# What the shortcuts replace.
REPLACED = {
    "validate": (RemoteAction, "_validate_action_result"),
    "resolve": (Event, "resolve_by_type"),
    "fail safe": (rasa.core.agent, "FailSafeTrackerStore"),
    "store": (rasa.core.tracker_store, "SQLTrackerStore"),
    "run": (DaskGraphRunner, "run"),
    "before": (TrainingHook, "on_before_node"),
    "after": (TrainingHook, "on_after_node"),
    "reminder": (MessageProcessor, "_is_reminder_still_valid"),
}


@pytest.fixture
def rasas(monkeypatch):
    """What Rasa has of its own; whatever a test replaces is put back."""
    for place in REPLACED.values():
        monkeypatch.setattr(*place, inspect.getattr_static(*place))
    return {name: getattr(*place) for name, place in REPLACED.items()}


@pytest.fixture
def shortcuts(rasas):
    """The shortcuts, taken for one test."""
    take_shortcuts()
    assert not [name for name, place in REPLACED.items() if getattr(*place) is rasas[name]]


@pytest.mark.usefixtures("shortcuts")
class TestRunningAGraph:
    @pytest.fixture
    def runner(self, tmp_path):
        Adder.runs.clear()
        return DaskGraphRunner(GRAPH, LocalModelStorage(tmp_path), ExecutionContext(GRAPH))

    @pytest.mark.parametrize(
        "targets, outputs",
        [
            (["shared"], {"shared": 6}),
            (["left"], {"left": 7}),
            (["both"], {"both": 20}),
            (["both", "left"], {"both": 20, "left": 7}),
            (["left", "aside", "both"], {"left": 7, "aside": 6, "both": 20}),
            (["aside", "aside"], {"aside": 6}),
            (["start", "left"], {"start": 5, "left": 7}),
        ],
        ids=str,
    )
    def test_gives_the_outputs_of_the_targets_and_no_others(self, runner, targets, outputs):
        got = runner.run({"start": 5}, targets)
        assert got == outputs and [*got] == [*dict.fromkeys(targets)]

    @pytest.mark.parametrize("targets", [None, []])
    def test_without_targets_gives_those_of_the_graph(self, tmp_path, targets):
        marked = GraphSchema({**GRAPH.nodes, "aside": replace(GRAPH.nodes["aside"], is_target=True)})
        runner = DaskGraphRunner(marked, LocalModelStorage(tmp_path), ExecutionContext(marked))
        assert runner.run({"start": 5}, targets) == {"aside": 6}

    def test_hands_each_input_to_the_parameter_that_wants_it(self, runner):
        assert runner.run({"start": 8, "wanted": 10}, ["apart"]) == {"apart": (8, 10)}

    def test_runs_a_node_that_several_need_once(self, runner):
        assert runner.run({"start": 5}, ["both", "left", "shared"]) == {"both": 20, "left": 7, "shared": 6}
        assert sorted(Adder.runs) == ["both", "left", "right", "shared"]

    def test_runs_nothing_that_no_target_needs(self, runner):
        runner.run({"start": 5}, ["left"])
        assert sorted(Adder.runs) == ["left", "shared"]

    def test_runs_anew_each_time(self, runner):
        assert [runner.run({"start": number}, ["left"])["left"] for number in (1, 2, 1)] == [3, 4, 3]

    def test_an_input_that_nobody_provides_is_reported(self, runner):
        with pytest.raises(GraphRunError, match="Expected input 'start' to provide parameter 'one'"):
            runner.run({}, ["left"])
        assert Adder.runs == []

    def test_a_node_that_fails_is_reported_and_ends_the_run(self, runner):
        with pytest.raises(GraphComponentException, match="node broken") as caught:
            runner.run({"start": 5}, ["behind"])
        assert isinstance(caught.value.__cause__, ValueError) and Adder.runs == []


@pytest.mark.usefixtures("shortcuts")
class TestTraining:
    def test_computes_no_fingerprint_and_keeps_nothing(self, tmp_path):
        storage = LocalModelStorage(tmp_path)
        # Rasa's own hook would ask the cache.
        hook = TrainingHook(cache=None, model_storage=storage, pruned_schema=GRAPH)
        runner = DaskGraphRunner(GRAPH, storage, ExecutionContext(GRAPH), [hook])
        assert runner.run({"start": 5}, ["both"]) == {"both": 20}


@pytest.mark.usefixtures("shortcuts")
class TestStores:
    def test_sql_is_ours(self, tmp_path):
        config = EndpointConfig.from_dict({"type": "SQL", "dialect": "sqlite", "db": str(tmp_path / "some.db")})
        store = TrackerStore.create(config, Domain.empty())
        assert type(store) is RememberingTrackerStore and (tmp_path / "some.db").exists()
        store.engine.dispose()

    def test_an_agent_has_the_store_itself(self):
        store = InMemoryTrackerStore(Domain.empty())
        assert Agent(Domain.empty(), tracker_store=store).tracker_store is store


@pytest.mark.usefixtures("shortcuts")
class TestReminders:
    WHEN = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
    SLOTS = [AnySlot(DUE, mappings=[{}])]

    @pytest.mark.parametrize(
        "due, is_due",
        [
            ("2030-01-02T03:04:00+00:00", True),
            ("2030-01-02T04:04:00+01:00", True),
            ("2030-01-02T03:05:00+00:00", False),
            (None, False),
        ],
        ids=["due", "in another zone", "set anew", "cancelled"],
    )
    def test_is_sent_where_the_conversation_waits_for_it(self, due, is_due):
        # The session in which it was set is over.
        tracker = DialogueStateTracker("visitor", self.SLOTS)
        tracker.update(SlotSet(DUE, due))
        assert MessageProcessor._is_reminder_still_valid(tracker, ReminderScheduled("x", self.WHEN)) is is_due


class TestResolvingEvents:
    @pytest.mark.parametrize(
        "name", ["user", "bot", "action", "slot", "session_started", "active_loop", "rewind", "topic"]
    )
    def test_finds_the_class_that_rasa_finds(self, rasas, shortcuts, name):
        for _ in range(2):
            assert Event.resolve_by_type(name) is rasas["resolve"](name)

    def test_an_unknown_name_is_refused_each_time(self, shortcuts):
        for _ in range(2):
            with pytest.raises(ValueError, match="no_such_event"):
                Event.resolve_by_type("no_such_event")

    def test_an_unknown_name_may_have_a_default(self, rasas, shortcuts):
        assert Event.resolve_by_type("no_such_event", SlotSet) is rasas["resolve"]("no_such_event", SlotSet) is SlotSet
        with pytest.raises(ValueError, match="no_such_event"):
            Event.resolve_by_type("no_such_event")


SLOT = {"event": "slot", "timestamp": None, "name": "regions", "value": ["lumbar"]}


class TestCheckingAReply:
    URL = "http://elsewhere:5055/webhook"

    def action(self, endpoint=None):
        return RemoteAction("speak", endpoint or EndpointConfig(self.URL))

    def verdict(self, check, reply):
        """What a check makes of a reply: accepted, or the place that is refused."""
        try:
            return check(self.action(), copy.deepcopy(reply))
        except jsonschema.ValidationError as error:
            return [*error.absolute_path]

    @pytest.mark.parametrize(
        "reply, accepted",
        [
            ({}, True),
            ({"events": [], "responses": []}, True),
            ({"events": [SLOT], "responses": [{"text": "Hello."}]}, True),
            ({"events": [{"event": "followup", "timestamp": None, "name": "action_listen"}]}, True),
            ({"events": [SLOT], "more": 1}, True),
            ([], False),
            ("events", False),
            (None, False),
            ({"events": {}}, False),
            ({"events": [7]}, False),
            ({"events": [{"timestamp": None}]}, False),
            ({"events": [{"event": "slot", "timestamp": None, "value": 1}]}, False),
            ({"events": [{"event": "no_such_event", "timestamp": None}]}, False),
            ({"responses": {"text": "Hello."}}, False),
            ({"responses": ["Hello."]}, False),
        ],
        ids=lambda value: json.dumps(value)[:60],
    )
    def test_accepts_and_refuses_what_rasa_does(self, rasas, shortcuts, reply, accepted):
        ours = self.verdict(RemoteAction._validate_action_result, reply)
        assert (ours is True) == (self.verdict(rasas["validate"], reply) is True) == accepted

    def test_a_refusal_names_the_server(self, shortcuts):
        for _ in range(2):
            with pytest.raises(jsonschema.ValidationError) as caught:
                self.action()._validate_action_result({"events": {}})
            assert caught.value.message.count(self.URL) == 1

    def test_a_reply_of_this_process_needs_no_check(self, shortcuts, executor):
        assert self.action(ActionsInProcess(executor, self.URL))._validate_action_result({"events": [SLOT]}) is True

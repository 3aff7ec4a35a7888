"""Rasa on current libraries and without those that this bot does not use: placeholders, and bridges to what is new."""

import importlib
import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import get_type_hints

import jwt.algorithms
import numpy
import packaging.version
import pkg_resources
import pytest
from structlog_sentry import SentryProcessor

from backtalk import paths
from backtalk.engine import prepare_rasa
from backtalk.engine.bridges import build_bridges
from backtalk.engine.placeholders import PLACEHOLDERS, NotInstalled, put_placeholders

# Of these, the environment has something after all: protobuf's part of the namespace, and what draws for tools.
INSTALLED = {"matplotlib"}


def python(code, folder=paths.ROOT, **environment):
    """What code prints as JSON in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(params=PLACEHOLDERS)
def library(request):
    """The name of a library that is not there."""
    return request.param


@pytest.fixture
def module(library):
    """A module deep in such a library."""
    return importlib.import_module(f"{library}.some.deeper_module")


class TestPlaceholders:
    def test_are_found_for_every_module_of_a_library(self, library, module):
        assert module.__name__ == f"{library}.some.deeper_module"
        for found in (module, sys.modules[library], sys.modules[f"{library}.some"]):
            assert type(found).__name__ == "_PlaceholderModule" and getattr(found, "__file__", None) is None

    @pytest.mark.parametrize(
        "use",
        [
            lambda module: module.Thing(),
            lambda module: module.do_something(1, to="that"),
            lambda module: module.Thing.of_a_class.deep_within(),
            lambda module: module.OddError("words"),
        ],
        ids=["class", "function", "attribute", "exception"],
    )
    def test_say_what_is_missing_when_they_are_used(self, library, module, use):
        with pytest.raises(NotInstalled) as caught:
            use(module)
        assert f" of {library} was used, which is not installed" in str(caught.value)
        assert PLACEHOLDERS[library] in str(caught.value)

    def test_can_be_subclassed(self, module):
        class Ours(module.Base):
            def __init__(self, number):
                self.number = number

        class Furthermore(Ours, module.Mixin):
            pass

        assert Ours(3).number == Furthermore(3).number == 3
        assert isinstance(Ours(3), Ours) and issubclass(Furthermore, Ours)

    def test_can_be_annotated_with(self, module):
        def measure(one: module.Tensor, several: list[module.Tensor], perhaps: module.Tensor | None) -> module.Shape:
            return one

        hints = get_type_hints(measure)
        assert [*hints] == ["one", "several", "perhaps", "return"]
        assert hints["one"].__name__ == "Tensor" and hints["return"].__name__ == "Shape"

    @pytest.mark.parametrize("name", ["OddError", "OddException", "OddFailure", "Error"])
    def test_that_are_errors_by_name_can_stand_in_an_except_clause(self, module, name):
        error = getattr(module, name)
        caught = None
        try:
            raise KeyError("another")
        except error:
            pytest.fail("This is no error of the library.")
        except KeyError as another:
            caught = another
        assert caught
        assert issubclass(error, Exception) and not issubclass(module.Thing, Exception)

    def test_have_nothing_that_python_itself_looks_for(self, module):
        assert not hasattr(module, "__all__") and not hasattr(module.Thing, "__wrapped__")

    def test_are_put_once(self):
        before = [*sys.meta_path]
        put_placeholders()
        assert sys.meta_path == before

    def test_leave_other_modules_alone(self):
        assert Path(importlib.import_module("sklearn").__file__).exists()
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("tensorflowish")


class TestEnvironment:
    def test_has_none_of_the_libraries_without_the_placeholders(self, tmp_path):
        lines = [
            "import importlib.util, json",
            f"print(json.dumps([name for name in {[*PLACEHOLDERS]} if importlib.util.find_spec(name)]))",
        ]
        assert {*python("\n".join(lines), tmp_path)} <= INSTALLED

    def test_has_nothing_of_tensorflow_at_all(self, tmp_path):
        code = (
            "import importlib.metadata, json; print(json.dumps([d.name for d in importlib.metadata.distributions()]))"
        )
        names = [name.lower() for name in python(code, tmp_path)]
        assert "rasa" in names
        assert not [name for name in names if "tensorflow" in name or "keras" in name or name == "torch"]

    def test_has_no_tensorflow_to_import(self, tmp_path):
        names = [name for name, reason in PLACEHOLDERS.items() if reason == PLACEHOLDERS["tensorflow"]]
        assert {"tensorflow", "keras"} <= {*names} and not INSTALLED & {*names}
        lines = [
            "import importlib, json",
            "missing = []",
            f"for name in {names}:",
            "    try: importlib.import_module(name)",
            "    except ModuleNotFoundError as error: missing.append(error.name)",
            "print(json.dumps(missing))",
        ]
        assert python("\n".join(lines), tmp_path) == names


@pytest.fixture(scope="module")
def fresh():
    """What a process is like in which Rasa was prepared and imported."""
    lines = [
        "import json, sys",
        "from backtalk.engine import prepare_rasa",
        "prepare_rasa()",
        "import rasa.core.agent, rasa.model_training, rasa.__main__, rasa.telemetry",
        "files = {name: getattr(module, '__file__', None) for name, module in sys.modules.items()}",
        "print(json.dumps({'files': files, 'telemetry': rasa.telemetry.is_telemetry_enabled()}))",
    ]
    return python("\n".join(lines), RASA_TELEMETRY_ENABLED="true")


class TestRasa:
    def test_is_imported_without_any_module_of_the_libraries(self, fresh):
        files = {name: file for name, file in fresh["files"].items() if name.split(".")[0] in PLACEHOLDERS}
        assert {"tensorflow", "dask", "twilio"} <= files.keys()
        assert [name for name, file in files.items() if file] == []

    def test_is_the_real_one(self, fresh):
        for name in ("rasa.core.agent", "rasa.model_training", "rasa.__main__", "numpy", "sanic", "sklearn"):
            assert fresh["files"][name]

    def test_reports_to_nobody(self, fresh):
        assert fresh["telemetry"] is False
        assert not [name for name in fresh["files"] if name.split(".")[0] in ("sentry_sdk", "analytics")]

    def test_is_prepared_once(self):
        before = [*sys.meta_path], pkg_resources, packaging.version.LegacyVersion, jwt.algorithms.RSAAlgorithm
        prepare_rasa()
        after = (
            [*sys.meta_path],
            sys.modules["pkg_resources"],
            packaging.version.LegacyVersion,
            jwt.algorithms.RSAAlgorithm,
        )
        assert after == before


class TestBridges:
    @pytest.mark.parametrize("package", ["rasa", "rasa.shared.utils.validation", "rasa.shared"])
    def test_files_of_a_package_are_found(self, package):
        folder = Path(importlib.import_module(package).__file__).parent
        assert pkg_resources.resource_filename(package, "some/file.yml") == str(folder / "some/file.yml")

    def test_a_file_of_rasas_is_there(self):
        assert Path(pkg_resources.resource_filename("rasa.engine.recipes.default_recipe", "config_files")).is_dir()

    @pytest.mark.parametrize("package", ["no_such_package_of_files", "google"])
    def test_files_of_a_package_that_is_not_there_are_not(self, package):
        with pytest.raises(ModuleNotFoundError, match=package):
            pkg_resources.resource_filename(package, "file.yml")

    def test_a_distribution_tells_its_version(self):
        assert pkg_resources.get_distribution("rasa").version == distribution("rasa").version == "3.6.21"
        with pytest.raises(PackageNotFoundError):
            pkg_resources.get_distribution("no-such-distribution-of-rasas")

    def test_an_error_is_logged_and_sent_to_nobody(self):
        event = {"event": "a visitor's words", "level": "error"}
        assert SentryProcessor(event_level="error")(None, "error", event) is event

    def test_every_version_is_one_of_today(self):
        assert not isinstance(packaging.version.parse("1.0"), packaging.version.LegacyVersion)

    def test_rsa_is_refused_where_it_is_not_installed(self, monkeypatch):
        monkeypatch.delattr(jwt.algorithms, "RSAAlgorithm")
        build_bridges()
        with pytest.raises(NotInstalled, match="cryptography"):
            jwt.algorithms.RSAAlgorithm("a hash")

    def test_numpy_has_the_warning_where_rasa_looks_for_it(self):
        assert issubclass(numpy.VisibleDeprecationWarning, Warning)

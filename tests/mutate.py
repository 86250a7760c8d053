#!/usr/bin/env python3
"""Takes away each guard that protects C1 to C6, one at a time, and sees that the simulation notices.

    python3 tests/mutate.py             every guard
    python3 tests/mutate.py 3 14        only those
    python3 tests/mutate.py --check     only whether every guard is still where the table says
    STEPS=2000000 python3 tests/mutate.py

The tree is copied under target/mutants, never touched. All changes are made there at once, each behind a switch that an
environment variable turns on, so that one build serves them all. A simulation that finds nothing when a guard is gone
proves nothing: then this ends with an error.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "mutants" / "tree"
STEPS = int(os.environ.get("STEPS", "1500000"))

SWITCH = '''
/// Which guard is gone.
#[must_use]
pub fn gone(guard: u32) -> bool {
    static GONE: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
    *GONE.get_or_init(|| std::env::var("GUARD").ok()?.parse().ok()) == Some(guard)
}
'''

DOMAIN = "shared/domain/src/"
FETCH = "functions/fetch-info/src/"
PROMPT = "functions/send-prompt/src/"
CONSENT = "functions/consent-callback/src/"
INTAKE = "functions/intake/src/"
STRIPE = "shared/processors/src/stripe/"
OPENID = "shared/processors/src/openid/"

# The guard in words, the file, what is there, what is put in its place (GONE: whether this guard is gone), and which of
# the invariants may notice first.
GUARDS = [
    (
        "a yes after the deadline does not count",
        DOMAIN + "request/answering.rs",
        "                self.answerable(now)?;\n                let known",
        "                if !GONE { self.answerable(now)?; }\n                let known",
        "C1 C3",
        # The page and the tap ask the same question first.
        (CONSENT + "answer.rs", "request.answerable(now).map_err(Unanswered::Refused)?;",
         "if !GONE { request.answerable(now).map_err(Unanswered::Refused)?; }"),
    ),
    (
        "a yes needs the session code",
        DOMAIN + "request/answering.rs",
        "if crate::keys::same(&session.code, picked) =>",
        "if GONE || crate::keys::same(&session.code, picked) =>",
        "C1",
    ),
    (
        "a yes without a session code does not count",
        DOMAIN + "request/answering.rs",
        "(Some(_), None) => CodeCheck::Missing,",
        "(Some(_), None) => if GONE { CodeCheck::Matched } else { CodeCheck::Missing },",
        "C1",
    ),
    (
        "the call is committed before it is made",
        FETCH + "charge.rs",
        "let Some(started) = self.step(loaded, command).await? else { return Ok(()) };",
        "let started = if GONE { loaded } else { let Some(started) = self.step(loaded, command).await? else { return Ok(()) }; started };",
        "C1 C2 C5",
    ),
    (
        "the attempt's object is committed before the call",
        FETCH + "charge.rs",
        "                    let prepared =\n",
        "                    if GONE { processor.execute(&what, &reference).await; }\n                    let prepared =\n",
        "C1 C2 C5",
    ),
    (
        "a new attempt only after the one before has ended",
        DOMAIN + "request/fetching.rs",
        "match change.request.attempts.last_mut().filter(|attempt| attempt.end.is_none()) {",
        "match change.request.attempts.last_mut().filter(|attempt| attempt.end.is_none() && !GONE) {",
        "C2 C5",
    ),
    (
        "an unknown answer is not a refusal",
        FETCH + "settle.rs",
        'Answer::Unknown => back("unknown", Doubt::Told),',
        'Answer::Unknown => if GONE { Verdict::Refuse { code: "lost", mendable: true } } else { back("unknown", Doubt::Told) },',
        "C2 C5",
    ),
    (
        "a lost answer may have moved the money",
        STRIPE + "errors.rs",
        "        | (Call::Confirm | Call::Cancel, HttpError::Lost(_)) => Failure::Unknown,",
        '        | (Call::Confirm | Call::Cancel, HttpError::Lost(_)) => if GONE { Failure::Refused("card_declined") } else { Failure::Unknown },',
        "C2 C5",
        (STRIPE + "errors.rs", "const fn unanswered(", "fn unanswered("),
    ),
    (
        "a 500 may have moved the money",
        STRIPE + "errors.rs",
        "        | Fault::FailedForGood\n        | Fault::Failed\n        | Fault::Refused\n        | Fault::Unclear => Failure::Unknown,\n    }\n}\n\n/// Where cancelling",
        '        | Fault::FailedForGood\n        | Fault::Refused\n        | Fault::Unclear => Failure::Unknown,\n        Fault::Failed => if GONE { Failure::Refused("card_declined") } else { Failure::Unknown },\n    }\n}\n\n/// Where cancelling',
        "C2 C5",
    ),
    (
        "an attempt is fenced before it is given up",
        FETCH + "charge.rs",
        "        match processor.fence(what, reference).await {\n            // The processor will not",
        "        if GONE { return Answer::Fenced; }\n        match processor.fence(what, reference).await {\n            // The processor will not",
        "C2 C5",
    ),
    (
        "a fence that comes too late says what became of it",
        STRIPE + "mod.rs",
        "        if answer == Answer::Unknown { self.read(what, object).await } else { answer }",
        "        if answer == Answer::Unknown { if GONE { Answer::Fenced } else { self.read(what, object).await } } else { answer }",
        "C2 C5",
    ),
    (
        "a refused key says nothing of an attempt in doubt",
        FETCH + "charge.rs",
        "            && !doubted\n",
        "            && (GONE || !doubted)\n",
        "C2 C5",
        (FETCH + "charge.rs", "Answer::Blocked { .. } if !attempt.in_doubt => Answer::Fenced,",
         "Answer::Blocked { .. } if GONE || !attempt.in_doubt => Answer::Fenced,"),
    ),
    (
        "each change expects the version it was decided from",
        DOMAIN + "storage.rs",
        "expect: base.map_or(Expect::Absent, Expect::Version) })\n}\n\nfn put_event",
        "expect: if GONE { Expect::Any } else { base.map_or(Expect::Absent, Expect::Version) } })\n}\n\nfn put_event",
        "C2 C3 C4 C5 ORDER CHAIN",
        (DOMAIN + "storage.rs", "body: body(event)?, expires_at, index: None };\n    Ok(Write::Put { item, expect: Expect::Absent })",
         "body: body(event)?, expires_at, index: None };\n    Ok(Write::Put { item, expect: if GONE { Expect::Any } else { Expect::Absent } })"),
    ),
    (
        "a request that ended is not cancelled",
        DOMAIN + "request/closing.rs",
        "            State::Pending | State::Prompted => Ok(self\n                .closed(Outcome::Cancelled, now)",
        "            _ if GONE && self.is_closed() => Ok(self.closed(Outcome::Cancelled, now).because(What::Cancelled)),\n            State::Pending | State::Prompted => Ok(self\n                .closed(Outcome::Cancelled, now)",
        "C2 C4 C5",
    ),
    (
        "a request with a yes is not cancelled",
        DOMAIN + "request/closing.rs",
        "    pub fn cancel(&self, now: Timestamp) -> Result<Change, Refusal> {\n        match &self.state {",
        "    pub fn cancel(&self, now: Timestamp) -> Result<Change, Refusal> {\n        match &self.state {\n            State::Authorized { .. } | State::Processing { .. } if GONE => Ok(self.closed(Outcome::Cancelled, now).because(What::Cancelled)),",
        "C2 C5",
    ),
    (
        "a request with a yes is not declined",
        DOMAIN + "request/answering.rs",
        "    ) -> Result<Change, Refusal> {\n        match &self.state {\n            State::Pending | State::Prompted => Ok(self\n                .closed(Outcome::Declined",
        "    ) -> Result<Change, Refusal> {\n        match &self.state {\n            State::Authorized { .. } | State::Processing { .. } if GONE => Ok(self.closed(Outcome::Declined { reason }, now).because(What::Declined { reason, prompt })),\n            State::Pending | State::Prompted => Ok(self\n                .closed(Outcome::Declined",
        "C2 C5",
    ),
    (
        "a request with a yes does not expire",
        DOMAIN + "request/closing.rs",
        "            State::Pending | State::Prompted if now >= self.expires_at => self",
        "            State::Authorized { .. } | State::Processing { .. } if GONE && now >= self.expires_at => self.closed(Outcome::Expired, now).because(What::Expired),\n            State::Pending | State::Prompted if now >= self.expires_at => self",
        "C2 C5",
    ),
    (
        "an authorization is sealed at rest",
        DOMAIN + "seal.rs",
        "        ciphertext: STANDARD.encode(ciphertext),",
        "        ciphertext: if GONE { plain.to_string() } else { STANDARD.encode(ciphertext) },",
        "C6",
    ),
    (
        "a check is sent ahead of the write",
        INTAKE + "accept.rs",
        "        effects::guard(self.queue.as_ref(), &request, now).await?;",
        "        if !GONE { effects::guard(self.queue.as_ref(), &request, now).await?; }",
        "C3",
    ),
    (
        "a check looks again for a request that is being written",
        PROMPT + "check.rs",
        "        if self.clock.now() < id.made_at().after(CALL_MAX) {",
        "        if !GONE && self.clock.now() < id.made_at().after(CALL_MAX) {",
        "C3",
    ),
    (
        "a check sees to the next one",
        PROMPT + "check.rs",
        "        if let Some(wait) = next {",
        "        if let Some(wait) = next.filter(|_| !GONE) {",
        "C3",
    ),
    (
        "a check hands over a fetch that was lost",
        PROMPT + "check.rs",
        "            State::Authorized { .. } => true,\n",
        "            State::Authorized { .. } => !GONE,\n",
        "C3",
        (PROMPT + "check.rs", "                now >= *lease && lost_at", "                !GONE && now >= *lease && lost_at"),
    ),
    (
        "a check hands over a notice that was lost",
        PROMPT + "check.rs",
        "            if now >= notice.due_at.after(NOTICE_LOST) {",
        "            if !GONE && now >= notice.due_at.after(NOTICE_LOST) {",
        "C3",
    ),
    (
        "a notice that was not taken is tried again",
        FETCH + "notices.rs",
        "            self.later(id, notice).await?;\n        }\n",
        "            if !GONE { self.later(id, notice).await?; }\n        }\n",
        "C3",
    ),
    (
        "an early message of a notice is passed on",
        FETCH + "notices.rs",
        "            return self.later(id, &notice).await;",
        "            return if GONE { Ok(()) } else { self.later(id, &notice).await };",
        "C3",
    ),
    (
        "only what was taken counts as delivered",
        FETCH + "notices.rs",
        "            Ok(answer) if answer.status().is_success() => Taken::Yes,",
        "            Ok(answer) if GONE || answer.status().is_success() => Taken::Yes,",
        "C3",
    ),
    (
        "a message that was not handled comes again",
        FETCH + "lib.rs",
        "                Handled::Again\n            }\n        }\n    }\n}",
        "                if GONE { Handled::Done } else { Handled::Again }\n            }\n        }\n    }\n}",
        "C3",
        (PROMPT + "lib.rs", "                Handled::Again\n            }\n        }\n    }\n}",
         "                if GONE { Handled::Done } else { Handled::Again }\n            }\n        }\n    }\n}"),
    ),
    (
        "one key makes one request",
        INTAKE + "idempotency.rs",
        "        Ok(Write::Put { item, expect })",
        "        Ok(Write::Put { item, expect: if GONE { Expect::Any } else { expect } })",
        "ONCE",
    ),
    (
        "nobody who opted out is asked",
        PROMPT + "deliver.rs",
        "        if self.store.read(&stop).await?.is_some() {",
        "        if !GONE && self.store.read(&stop).await?.is_some() {",
        "STOP",
    ),
    (
        "a customer comes back for the open attempt only",
        DOMAIN + "request/onward.rs",
        "        let ours = attempt.generation == generation;",
        "        let ours = GONE || attempt.generation == generation;",
        "C1 C2",
    ),
    (
        "a customer comes back once",
        DOMAIN + "request/onward.rs",
        "        if onward.returned_at.is_some() {\n            return Ok(Change::of(self, now));",
        "        if !GONE && onward.returned_at.is_some() {\n            return Ok(Change::of(self, now));",
        "C1 C2 C3",
    ),
    (
        "a code that may have been used is not used again",
        OPENID + "mod.rs",
        "            AuthorizationKind::Code if what.redeemed => LOST,\n            AuthorizationKind::Code => self.exchange(what).await,",
        "            AuthorizationKind::Code if what.redeemed && !GONE => LOST,\n            AuthorizationKind::Code => self.exchange(what).await,",
        "C2",
        (OPENID + "mod.rs", "            AuthorizationKind::Code if what.redeemed => LOST,\n            AuthorizationKind::Code | AuthorizationKind::AccessToken",
         "            AuthorizationKind::Code if what.redeemed && !GONE => LOST,\n            AuthorizationKind::Code | AuthorizationKind::AccessToken"),
    ),
    (
        "that a code is about to be used is committed before it is",
        DOMAIN + "request/fetching.rs",
        "            onward.redeemed |= onward.returned_at.is_some();",
        "            onward.redeemed |= !GONE && onward.returned_at.is_some();",
        "C2",
    ),
    (
        "an attempt whose customer is wanted back is fenced before it ends",
        FETCH + "charge.rs",
        "                let answer = if tired {\n                    self.fence",
        "                let answer = if tired && GONE && attempt.onward.as_ref().is_some_and(|onward| onward.recalled.is_some()) {\n                    Answer::Fenced\n                } else if tired {\n                    self.fence",
        "C2 C5",
    ),
    (
        "an attempt on the processor's page is fenced when time is over",
        FETCH + "charge.rs",
        "        match processor.fence(what, reference).await {\n            // The processor will not",
        "        if GONE && attempt.onward.is_some() { return Answer::Fenced; }\n        match processor.fence(what, reference).await {\n            // The processor will not",
        "C2 C5",
    ),
    (
        "a customer whom nobody sends on is fenced off",
        FETCH + "charge.rs",
        "        let answer = match turn.processor.fence(&turn.at.what(), reference).await {",
        "        let answer = match if GONE { Answer::Fenced } else { turn.processor.fence(&turn.at.what(), reference).await } {",
        "C2 C5",
    ),
    (
        "a request is not cancelled while its customer is on the processor's page",
        DOMAIN + "request/closing.rs",
        "                self.recalled(Recall::Requester, now).or(Err(Refusal::Authorized))",
        "                if GONE { return Ok(self.closed(Outcome::Cancelled, now).because(What::Cancelled)); }\n                self.recalled(Recall::Requester, now).or(Err(Refusal::Authorized))",
        "C2 C5",
    ),
    (
        "where a customer goes on is sealed at rest, and gone with the attempt",
        DOMAIN + "request/fetching.rs",
        "        self.onward = None;\n        self.told = None;",
        "        if !GONE { self.onward = None; }\n        self.told = None;",
        "C6",
    ),
    (
        "a tap counts only with a postback that we wrote",
        DOMAIN + "postback.rs",
        "        (proven && head.first() == Some(&VERSION)).then_some(read)",
        "        ((GONE || proven) && head.first() == Some(&VERSION)).then_some(read)",
        "C1",
    ),
    (
        "a tap on a button that opens the page is no yes",
        CONSENT + "taps.rs",
        "        Action::Open => None,",
        "        Action::Open => if GONE { Some(yes(request.session_code.as_ref().map(|session| session.code.clone()))) } else { None },",
        "C1",
    ),
    (
        "a card on file is asked for by its own customer only",
        INTAKE + "taker.rs",
        "known.filter(|known| domain::keys::same(&known.address, address))",
        "known.filter(|known| GONE || domain::keys::same(&known.address, address))",
        "C1",
        (CONSENT + "means.rs", "                && domain::keys::same(&known.address, &request.address)",
         "                && (GONE || domain::keys::same(&known.address, &request.address))"),
    ),
    (
        "a processor is heard about its own brand's requests only",
        CONSENT + "news.rs",
        "        request.brand == self.brand.name\n",
        "        (GONE || request.brand == self.brand.name)\n",
        "C5",
    ),
]


def changed(text, path, old, new, number):
    if text.count(old) != 1:
        sys.exit(f"guard {number} is in {path} {text.count(old)} times: the table in {__file__} must follow the code")
    crate = "crate" if path.startswith(DOMAIN) else "domain"
    return text.replace(old, new.replace("GONE", f"{crate}::gone({number})"))


def copy():
    """The tree as it is now, with every guard behind its switch."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    kept = set()
    for name in names.stdout.splitlines():
        source, target = ROOT / name, COPY / name
        if not source.is_file():
            continue
        kept.add(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        put(target, source.read_bytes())
    for target in COPY.rglob("*"):
        if target.is_file() and target not in kept:
            target.unlink()
    for path, text in switched(COPY).items():
        put(COPY / path, text.encode())


def switched(root):
    """The files of a tree that have guards, with each of them behind its switch."""
    texts = {}
    for number, (_, path, old, new, _, *more) in enumerate(GUARDS, 1):
        for path, old, new in [(path, old, new), *more]:
            text = texts.get(path) or (root / path).read_text()
            texts[path] = changed(text, path, old, new, number)
    library = DOMAIN + "lib.rs"
    texts[library] = texts.get(library, (root / library).read_text()) + SWITCH
    return texts


def put(target, content):
    """Writes only what differs, so that a second run builds only what changed."""
    if not target.exists() or target.read_bytes() != content:
        target.write_bytes(content)


def build():
    flags = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target" / "mutants"), "RUSTFLAGS": "-A warnings"}
    command = ["cargo", "build", "--quiet", "--locked", "--package", "tests", "--example", "simulate"]
    if subprocess.run(command, cwd=COPY, env=flags, check=False).returncode:
        sys.exit("the tree with its switches does not build")
    # Apart, so that no other build replaces it while it runs.
    built = ROOT / "target" / "mutants" / "simulate"
    shutil.copy2(ROOT / "target" / "mutants" / "debug" / "examples" / "simulate", built)
    return built


def main():
    if sys.argv[1:] == ["--check"]:
        switched(ROOT)
        print(f"all {len(GUARDS)} guards are where the table says")
        return
    chosen = [int(text) for text in sys.argv[1:]] or range(1, len(GUARDS) + 1)
    shutil.rmtree(COPY / "target", ignore_errors=True)
    COPY.mkdir(parents=True, exist_ok=True)
    copy()
    simulate = build()
    sound = subprocess.run([simulate, "1", "100000"], capture_output=True, text=True, check=False)
    if sound.returncode:
        sys.exit(f"the simulation fails with every guard in place:\n{sound.stdout[:4000]}")
    missed = 0
    print("| # | guard that is gone | what noticed | after steps |")
    print("| --- | --- | --- | --- |")
    for number in chosen:
        guard, *_ = GUARDS[number - 1]
        expected = set(GUARDS[number - 1][4].split())
        ran = subprocess.run(
            [simulate, "1", str(STEPS)],
            env={**os.environ, "GUARD": str(number)},
            capture_output=True,
            text=True,
            check=False,
        )
        found = re.search(r"^seed (\d+) failed after step (\d+):\n((?:  \S.*\n)+)", ran.stdout, re.M)
        names = re.findall(r"^  ([A-Z][A-Z0-9]+)\b", found[3], re.M) if found else []
        noticed = sorted(set(names) & expected)
        missed += not noticed
        what = ", ".join(noticed) if noticed else f"NOTHING ({', '.join(sorted(set(names))) or 'no failure'})"
        when = f"seed {found[1]}, step {found[2]}" if found else f"{STEPS} steps"
        print(f"| {number} | {guard} | {what} | {when} |", flush=True)
    if missed:
        sys.exit(f"{missed} guards can be taken away unnoticed")


if __name__ == "__main__":
    main()

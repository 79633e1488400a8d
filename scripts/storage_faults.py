"""The sweep behind scripts/test-storage-faults.sh: faults of the file system, injected by strace into a real job.

A job of milliseconds (cart-pole, 8 decisions) resumes a run, trains one chunk, saves it and stops. Its write-side system calls are counted once;
then the job is repeated from the same directory once per call and fault. After each, the same command without a fault must go on from the old or the
new checkpoint (the new one if the job had reported it saved) and end with the state and the metrics of an undisturbed run.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

CALLS = ["openat", "pwrite64", "ftruncate", "fsync", "close", "link", "rename", "symlink", "unlink", "mkdir"]
ERRORS = ["EIO", "ENOSPC", "EDQUOT", "EINTR"]
# What a job may end with: finished, I/O, stopped, directory lost to another owner, killed. Anything else is a wrong answer to a fault.
CODES = {0, 73, 74, 75, -signal.SIGKILL}

CONFIGURATION = {
    "run": {"environment": "cartpole", "total_requests": 24, "chunk_size": 8, "num_envs": 2},
    "rollout": {"length": 4, "stabilization_decisions": 0},
    "network": {"architecture": "mlp", "mlp_hidden": [8]},
    "ppo": {"epochs": 1, "minibatch_size": 8},
    "checkpoint": {"interval": 1000000, "max_checkpoints": 2, "retry_seconds": 1},
}


class Sweep:
    def __init__(self, program, work, asynchronous):
        self.program, self.work = program, work
        configuration = json.loads(json.dumps(CONFIGURATION))
        configuration["checkpoint"]["asynchronous"] = asynchronous
        self.configuration = os.path.join(work, "tiny.json")
        with open(self.configuration, "w") as file:
            json.dump(configuration, file)
        self.base = os.path.join(work, "base")
        self.must(self.command(self.base, "--max-chunks", "1"), 75)
        whole = os.path.join(work, "whole")
        shutil.copytree(self.base, whole, symlinks=True)
        self.must(self.command(whole), 0)
        self.expected = self.fingerprint(whole)
        self.serial = 0

    def command(self, directory, *extra):
        return [self.program, "train", "--config", self.configuration, "--output-dir", directory, *extra]

    def run(self, command, **options):
        return subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=120, **options)

    def must(self, command, code):
        result = self.run(command)
        if result.returncode != code:
            sys.exit(f"storage_faults.py: {' '.join(command)} ended with {result.returncode}, expected {code}:\n{result.stdout}")
        return result.stdout

    def fingerprint(self, directory):
        newest = sorted(n for n in os.listdir(directory + "/checkpoints") if n.startswith("checkpoint_step_"))[-1]
        content = json.loads(self.must([self.program, "inspect", f"{directory}/checkpoints/{newest}", "--json"], 0))
        metrics = [hashlib.sha256(open(f"{directory}/metrics/{n}", "rb").read()).hexdigest() for n in sorted(os.listdir(directory + "/metrics"))]
        return [content["state_sha256"], *metrics]

    def fresh(self):
        self.serial += 1
        directory = os.path.join(self.work, f"case{self.serial}")
        shutil.copytree(self.base, directory, symlinks=True)
        return directory

    def trace(self):
        """Every write-side call of the job inside its directory: (name, number among the calls of that name, object, size)."""
        directory = self.fresh()
        log = os.path.join(self.work, "trace.txt")
        self.must(["strace", "-f", "--seccomp-bpf", "-y", "-o", log, "-e", "trace=" + ",".join(CALLS), *self.command(directory, "--max-chunks", "1")], 75)
        counts = collections.Counter()
        calls = []
        for line in open(log, errors="replace"):
            match = re.match(r"(\d+) +(\w+)\((.*)\) += (-?\d+)", line)
            if not match or match.group(2) not in CALLS:
                continue
            thread, name, arguments, result = match.groups()
            counts[thread, name] += 1
            if directory not in line:
                continue
            if name == "openat" and "O_CREAT" not in arguments:
                continue
            if name == "mkdir":
                continue  # the directories are there
            paths = re.findall(re.escape(directory) + r"([^\s\"<>,]*)", arguments)
            calls.append((name, counts[thread, name], self.kind(paths[-1]), int(result) if name == "pwrite64" else 0, dict(
                (n, counts[thread, n]) for n in CALLS)))
        shutil.rmtree(directory)
        return calls

    @staticmethod
    def kind(path):
        name = path.rsplit("/", 1)[-1]
        temporary = name.startswith(".tmp-")
        for key, text in [
            ("checkpoint_step", "checkpoint"), ("latest.pt", "latest.pt"), ("training_progress", "progress"), ("config.resolved", "configuration"),
            ("run.lock", "lock"), (".jsonl", "timings" if "timing" in name else "metrics"), (".log", "log"),
        ]:
            if key in name:
                return text + (" (temporary)" if temporary and text in ("checkpoint", "progress") else "")
        return "directory"

    def case(self, name, number, size, seen, fault, sticky):
        """One job with one fault, and its recovery: (exit code, step resumed from, problem or None)."""
        directory = self.fresh()
        plus = "+" if sticky else ""
        if fault == "KILL":
            injections = [f"inject={name}:signal=SIGKILL:when={number}"]
        elif fault == "short":
            injections = [f"inject={name}:retval={max(1, size // 2)}:when={number}{plus}"]
        else:
            injections = [f"inject={name}:error={fault}:when={number}{plus}"]
            if sticky:
                # From this call on the whole disk fails, not this kind of call alone. Closing and removing are left working.
                injections += [
                    f"inject={other}:error={fault}:when={seen.get(other, 0) + 1}+"
                    for other in ("pwrite64", "fsync", "link", "rename", "symlink") if other != name
                ]
        arguments = [argument for injection in injections for argument in ("-e", injection)]
        try:
            job = self.run(["strace", "-f", "-o", "/dev/null", *arguments, *self.command(directory, "--max-chunks", "1")])
            code, said = job.returncode, job.stdout
        except subprocess.TimeoutExpired:
            return None, None, "the job hangs"
        problem, step = self.recover(directory, "saved checkpoints/checkpoint_step_00000016.pt" in said)
        if code not in CODES:
            # A fault in a call of the dynamic loader, before the program began: the directory must be untouched, which `problem` says.
            began = "error while loading shared libraries" not in said
            problem = problem or (f"ended with {code}: {said[-400:]}" if began else None)
        if problem is None:
            shutil.rmtree(directory)
        return code, step, problem

    def recover(self, directory, reported):
        """Runs to the end without a fault and compares."""
        try:
            result = self.run(self.command(directory))
        except subprocess.TimeoutExpired:
            return "the recovery hangs", None
        if result.returncode != 0:
            return f"the recovery ended with {result.returncode}: {result.stdout[-400:]}", None
        match = re.search(r"^\[Resume\].* step=(\d+) ", result.stdout, re.MULTILINE)
        step = int(match.group(1)) if match else 24
        if step not in (8, 16, 24):
            return f"resumed from step {step}", step
        if reported and step < 16:
            return "a save that was reported is lost", step
        if self.fingerprint(directory) != self.expected:
            return "the end differs from an undisturbed run", step
        names = sorted(os.listdir(directory + "/checkpoints"))
        if names != ["checkpoint_step_00000016.pt", "checkpoint_step_00000024.pt", "latest.pt"]:
            return f"files left: {names}", step
        left = [n for n in os.listdir(directory) if n.startswith(".tmp-") or ".claim-" in n]
        if left:
            return f"left over: {left}", step
        return None, step


def sweep_faults(sweep, workers, slice_of):
    calls = sweep.trace()
    cases = []
    for name, number, kind, size, seen in calls:
        for fault in ["KILL"] + ERRORS + (["short"] if name == "pwrite64" else []):
            for sticky in [False] if fault == "KILL" else [False, True]:
                cases.append((name, number, kind, size, seen, fault, sticky))
    if slice_of > 1:
        # A slice that shifts over calls and faults alike, the same at every run.
        cases = [c for i, c in enumerate(cases) if i % slice_of == 0]
    table = collections.defaultdict(lambda: collections.defaultdict(collections.Counter))
    problems = []
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        futures = [(c, pool.submit(sweep.case, c[0], c[1], c[3], c[4], c[5], c[6])) for c in cases]
        for (name, number, kind, _, _, fault, sticky), future in futures:
            code, step, problem = future.result()
            label = f"{fault} {'from there on' if sticky else 'once'}"
            table[f"{name} {kind}"][label][(code, step)] += 1
            if problem:
                problems.append(f"{name} number {number} ({kind}), {label}: {problem}")
    return calls, cases, table, problems


def print_table(calls, cases, table):
    columns = ["KILL once"] + [f"{e} {w}" for e in ERRORS + ["short"] for w in ("once", "from there on")]
    heads = ["KILL"] + [f"{e} {w}" for e in ERRORS + ["short"] for w in ("1x", "on")]
    print("| Call | Times | " + " | ".join(heads) + " |")
    print("| --- | --- |" + " --- |" * len(heads))
    order, times = [], collections.Counter()
    for name, _, kind, _, _ in calls:
        key = f"{name} {kind}"
        times[key] += 1
        if key not in order:
            order.append(key)
    for key in order:
        cells = []
        for column in columns:
            counts = table[key].get(column)
            if not counts:
                cells.append("-")
                continue
            codes = sorted({str("killed" if c == -9 else c) for c, _ in counts})
            steps = sorted({"?" if s is None else "old" if s < 16 else "new" for _, s in counts}, reverse=True)
            cells.append("/".join(codes) + " " + "+".join(steps))
        print(f"| {key} | {times[key]} | " + " | ".join(cells) + " |")
    print(f"\n{len(calls)} calls, {len(cases)} cases")


def sweep_pauses(sweep, workers, slice_of):
    """The owner stops before call k; a job on another host takes over and finishes; then the owner goes on."""
    calls = sweep.trace()[::slice_of]
    outcomes, problems = collections.Counter(), []

    def one(call):
        name, number, kind, _, _ = call
        directory = sweep.fresh()
        owner = subprocess.Popen(
            ["strace", "-f", "-o", directory + ".strace", "-e", f"trace={name}", "-e", f"inject={name}:signal=SIGSTOP:when={number}",
             *sweep.command(directory, "--max-chunks", "1")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
        try:
            pid = stopped_child(owner.pid, directory + ".strace")
            if pid is None:
                return None, f"{name} number {number}: the owner did not stop"
            other = sweep.run(
                ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh", *sweep.command(directory, "--lock-lease", "1")])
            if other.returncode != 0:
                return None, f"{name} number {number} ({kind}): the successor ended with {other.returncode}: {other.stdout[-400:]}"
            os.kill(pid, signal.SIGCONT)
            said = owner.communicate(timeout=60)[0]
        finally:
            if owner.poll() is None:
                owner.kill()
        if owner.returncode not in (0, 73, 75):
            return None, f"{name} number {number} ({kind}): the owner ended with {owner.returncode}: {said[-400:]}"
        problem, _ = sweep.recover(directory, False)
        if problem:
            return None, f"{name} number {number} ({kind}), owner {owner.returncode}: {problem} [{directory}]"
        shutil.rmtree(directory)
        return owner.returncode, None

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for code, problem in pool.map(one, calls):
            outcomes[code] += 1
            if problem:
                problems.append(problem)
    return calls, outcomes, problems


def stopped_child(parent, log):
    """The process under strace once strace has logged that it stands still; None if it ends before."""
    for _ in range(6000):
        try:
            children = open(f"/proc/{parent}/task/{parent}/children").read().split()
            if os.path.exists(log) and "--- stopped by SIGSTOP ---" in open(log).read() and children:
                return int(children[0])
        except FileNotFoundError:
            return None
        time.sleep(0.01)
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--slice", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--what", choices=["faults", "pauses", "all"], default="all")
    parser.add_argument("--asynchronous", action="store_true")
    options = parser.parse_args()
    root = tempfile.mkdtemp(prefix="storage-faults-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    problems = []
    try:
        sweep = Sweep(options.program, root, options.asynchronous)
        if options.what in ("faults", "all"):
            calls, cases, table, found = sweep_faults(sweep, options.workers, options.slice)
            print_table(calls, cases, table)
            problems += found
        if options.what in ("pauses", "all"):
            calls, outcomes, found = sweep_pauses(sweep, options.workers, max(1, options.slice // 4))
            text = ", ".join(f"{count} owners ended with {code}" for code, count in sorted(outcomes.items(), key=str))
            print(f"{len(calls)} pauses and takeovers: {text}")
            problems += found
    finally:
        if not problems:
            shutil.rmtree(root, ignore_errors=True)
    for problem in problems:
        print("FAILED " + problem, file=sys.stderr)
    if problems:
        print(f"{len(problems)} failures; directories are kept in {root}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

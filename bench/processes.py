"""Running programs against the clock and under watch of their memory."""
import subprocess
import tempfile
import time


class Failed(Exception):
    pass


def run_timed(command, environment):
    """(seconds from start to exit, stdout)."""
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr.strip()}\n{done.stdout.strip()[-2000:]}")
    return seconds, done.stdout


def anonymous_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


def run_watched(command, environment):
    """(peak of anonymous resident bytes, sampled every 2 ms; seconds)."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        peak = 0
        while process.poll() is None:
            try:
                peak = max(peak, anonymous_bytes(process.pid))
            except (FileNotFoundError, ProcessLookupError):
                break
            time.sleep(0.002)
        if process.wait() != 0:
            said.seek(0)
            raise Failed(f"{' '.join(command)}: exit {process.returncode}\n{said.read()}")
    return peak, time.perf_counter() - start

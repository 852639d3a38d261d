"""A real Ollama with the same model: DECANT_TEST_OLLAMA names its binary, DECANT_TEST_OLLAMA_GGUF a file of
multilingual-e5-small."""
import contextlib
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request

BATCH = 32


def is_given():
    return bool(os.environ.get("DECANT_TEST_OLLAMA") and os.environ.get("DECANT_TEST_OLLAMA_GGUF"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def served():
    """A function that embeds texts and gives the seconds that it took."""
    binary, model = os.environ["DECANT_TEST_OLLAMA"], os.path.abspath(os.environ["DECANT_TEST_OLLAMA_GGUF"])
    with tempfile.TemporaryDirectory() as home:
        address = f"127.0.0.1:{free_port()}"
        environment = {**os.environ, "HOME": home, "OLLAMA_HOST": address}
        with subprocess.Popen([binary, "serve"], env=environment, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as server:
            try:
                wait_until_up(server, address)
                recipe = os.path.join(home, "Modelfile")
                with open(recipe, "w", encoding="utf-8") as file:
                    file.write(f"FROM {model}\n")
                subprocess.run([binary, "create", "given", "-f", recipe], env=environment, check=True, capture_output=True)
                yield lambda texts: seconds_for(address, texts)
            finally:
                server.terminate()


def wait_until_up(server, address):
    for _ in range(300):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://{address}/api/version", timeout=5).read()
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError("ollama serve does not come up")


def embed(address, texts):
    body = json.dumps({"model": "given", "input": texts, "truncate": True}).encode()
    request = urllib.request.Request(f"http://{address}/api/embed", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)["embeddings"]


def seconds_for(address, texts):
    embed(address, texts[:1])  # loads the model
    start = time.perf_counter()
    done = sum(len(embed(address, texts[first : first + BATCH])) for first in range(0, len(texts), BATCH))
    if done != len(texts):
        raise RuntimeError(f"Ollama gave {done} vectors for {len(texts)} texts")
    return time.perf_counter() - start

"""Runs a service of a root folder as systemd would where there is no systemd: with the user, environment, folders and
credentials of its unit, and with a socket to be told its state by.

    python run_service.py ROOT UNIT

Prints `pid N`, what the service says on its socket and what it writes to standard output, a line each; ends as it ends.
What a unit confines a service by (SystemCallFilter=, ProtectSystem= and their like) is not applied.
"""
import os
import pathlib
import shlex
import socket
import subprocess
import sys
import threading


def read_unit(path):
    """The [Service] keys, each with all its values."""
    keys = {}
    for line in path.read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            keys.setdefault(key, []).append(value)
    return keys


def account_of(root, name):
    for line in (root / "etc/passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return int(fields[2]), int(fields[3])
    raise SystemExit(f"run_service: there is no user {name} in {root}")


def make_folder(path, owner):
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, *owner)
    path.chmod(0o755)


def put_credentials(root, unit, owner):
    folder = root / "run/credentials/service"
    make_folder(folder, owner)
    for entry in unit.get("LoadCredential", []):
        name, _, source = entry.partition(":")
        (folder / name).write_bytes((root / source.lstrip("/")).read_bytes())
        os.chown(folder / name, *owner)
        (folder / name).chmod(0o400)


def open_socket(root):
    path = root / "run/notify"
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(path))
    path.chmod(0o666)
    return listener


def tell(listener):
    while True:
        print(listener.recv(4096).decode(), flush=True)


def main(root, unit_path):
    unit = read_unit(unit_path)
    owner = account_of(root, unit["User"][0])
    make_folder(root / "var/lib" / unit["StateDirectory"][0], owner)
    make_folder(root / "var/log" / unit["LogsDirectory"][0], owner)
    put_credentials(root, unit, owner)
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "NOTIFY_SOCKET": "/run/notify"}
    for line in unit.get("Environment", []):
        for entry in shlex.split(line.replace("%d", "/run/credentials/service")):
            environment.update([entry.split("=", 1)])
    threading.Thread(target=tell, args=[open_socket(root)], daemon=True).start()

    def enter():
        print(f"pid {os.getpid()}", flush=True)
        os.chroot(root)
        os.setgroups([])
        os.setgid(owner[1])
        os.setuid(owner[0])
        os.chdir(unit["WorkingDirectory"][0])
        os.umask(int(unit["UMask"][0], 8))

    service = subprocess.Popen(shlex.split(unit["ExecStart"][0]), env=environment, preexec_fn=enter)
    raise SystemExit(service.wait())


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))

#!/usr/bin/env python3
"""A 200 MB package to OpenSSH's sshd on loopback, as an operation uploads it, against `scp` of the same file.

Both are run in turns, so that what else the machine does falls on both. `scp` counts without its connect (`ssh true`),
we without connect and hashing; the whole step (both hashes, connect, rename) is shown beside it.
"""

import argparse
import getpass
import os
import pathlib
import shutil
import subprocess
import tempfile

import common

SFTP_SERVER = "/usr/lib/openssh/sftp-server"

# Stands for Windows: the three scripts that an upload runs, as far as it reads what they print.
CMD = r"""#!/bin/sh
root='@ROOT@/C:/ProgramData/dataminer-reconciler'
case "$3" in
*prepare-*) mkdir -p "$root/packages" ;;
*disk-*) printf '@@disk\na : 900000000000\nb : 900000000000\nc : 900000000000\n@@end\n' ;;
*hash-*)
    echo '@@hash 1'
    cd "$root/packages/$4" || exit 1
    for file in *; do
        printf 'SHA256 hash of C:\\x\\%s:\n' "$file"
        sha256sum "$file" | cut -d' ' -f1
    done
    echo '@@end' ;;
*) exit 9 ;;
esac
"""


def keygen(path):
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", str(path)], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    upload = common.TARGET / "release" / "examples" / "upload"
    if not upload.exists():
        raise SystemExit("run `cargo build --release -p dataminer-reconciler --example upload` first")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        return 0 if measure(folder, str(upload), args) else 1


def measure(folder, upload, args):
    root = folder / "root"
    (root / "C:" / "ProgramData").mkdir(parents=True)
    programs = folder / "bin"
    programs.mkdir()
    stand_in = programs / "cmd.exe"
    stand_in.write_text(CMD.replace("@ROOT@", str(root)))
    stand_in.chmod(0o755)
    for key in ("host", "client"):
        keygen(folder / key)
    port = common.free_port()
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/client.pub\n"
        f"PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nSubsystem sftp {SFTP_SERVER}\n"
        f"SetEnv PATH={programs}:/usr/bin:/bin\n"
    )
    if os.geteuid() == 0:
        # sshd gives up its privileges into this folder; packages make it at boot only.
        os.makedirs("/run/sshd", exist_ok=True)
    package = folder / "packages" / "package.dmupgrade"
    package.parent.mkdir()
    with package.open("wb") as file:
        for _ in range(args.megabytes):
            file.write(os.urandom(1_000_000))
    user = getpass.getuser()
    address = f"127.0.0.1:{port}"
    shared = ["-i", str(folder / "client"), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"]
    shared += ["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-F", "none"]
    ssh = ["ssh", *shared, "-p", str(port), f"{user}@127.0.0.1", "true"]
    copy = folder / "copy"
    scp = ["scp", "-q", *shared, "-P", str(port), str(package), f"{user}@127.0.0.1:{copy}"]
    shown = subprocess.run(["ssh-keygen", "-lf", f"{folder}/host.pub"], check=True, capture_output=True).stdout
    fingerprint = shown.decode().split()[1]
    (folder / "vault").mkdir()
    ours = [upload, "--address", address, "--host-key", fingerprint, "--user", user]
    ours += ["--identity", str(folder / "client"), "--root", str(root), "--vault", str(folder / "vault"), str(package)]
    with common.running(["/usr/sbin/sshd", "-D", "-e", "-f", str(folder / "sshd_config")], folder / "sshd.log"):
        common.until("sshd", lambda: subprocess.run(ssh, capture_output=True).returncode == 0)
        rows = []
        for number in range(args.rounds):
            common.load()
            connect, _ = common.timed(ssh)
            theirs, _ = common.timed(scp)
            _, said = common.timed(ours)
            said = common.as_json(said)
            arrived = next((root / "C:" / "ProgramData" / "dataminer-reconciler" / "packages").glob("*/*"))
            subprocess.run(["cmp", str(package), str(arrived)], check=True)
            shutil.rmtree(arrived.parent)
            rate = args.megabytes / (theirs - connect), args.megabytes / said["transfer_seconds"]
            rows.append(rate)
            print(
                f"      round {number + 1}: scp {theirs:.2f} s ({connect:.2f} s of it connect) = {rate[0]:.0f} MB/s, "
                f"ours {said['transfer_seconds']:.2f} s = {rate[1]:.0f} MB/s, whole step {said['whole_seconds']:.2f} s",
                flush=True,
            )
    theirs, mine = (common.median(column) for column in zip(*rows, strict=True))
    share = 100 * mine / theirs
    return common.verdict(
        "upload", f"{mine:.0f} MB/s against scp's {theirs:.0f} =  {share:.0f}", ">= 70", share >= 70, "%"
    )


if __name__ == "__main__":
    raise SystemExit(main())

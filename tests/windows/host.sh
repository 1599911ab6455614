#!/usr/bin/env bash
# One Windows-like host for tests: OpenSSH's sshd, Wine's cmd.exe, and stand-ins for the programs that Wine lacks.
#
#   host.sh check        says what is missing on this machine (one line each); status 1 if anything is
#   host.sh up DIR       makes and starts a host in DIR, then writes DIR/host.env; done twice equals done once
#   host.sh down DIR     stops what `up` started and removes DIR
#
# DIR/root is the file tree that SFTP shows; DIR/root/C: is the drive C: of both SFTP and Wine. Exec requests run
# in Wine exactly as they were sent. Needs root (chroot) and: apt-get install openssh-server openssh-client
# wine64 gcc-mingw-w64-x86-64-win32
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
template=${WINE_TEMPLATE:-${TMPDIR:-/tmp}/dataminer-reconciler-wine-$(id -u)}

wine=/usr/lib/wine/wine64
wineserver=/usr/lib/wine/wineserver64
sshd=/usr/sbin/sshd
sftp_server=/usr/lib/openssh/sftp-server
mingw=x86_64-w64-mingw32-gcc-win32

# Native programs win over Wine's own of the same name, most of which return 0 and do nothing.
replaced=(schtasks certutil tasklist fsutil sc icacls ping msiexec)
export WINEDEBUG=-all
export DISPLAY=
WINEDLLOVERRIDES="mscoree,mshtml=;winemenubuilder.exe=d;$(printf '%s.exe,' "${replaced[@]}")standins.exe=n"
export WINEDLLOVERRIDES
export LC_ALL=C.UTF-8

# Debian's Wine has no preloader, so nothing keeps the kernel from laying a process's heap (its start is random within
# a gigabyte above the loader at 0x7d000000) over 0x7ffe0000, where Windows wants its shared user data. About one
# process in five thousand then ended before its program began. Without randomisation the heap stays clear of it.
fixed=()
if setarch -R true 2>/dev/null; then
    fixed=(setarch -R)
fi

say() { echo "host.sh: $*" >&2; }

missing() {
    local name
    for name in "$wine" "$wineserver" "$sshd" "$sftp_server"; do
        [ -x "$name" ] || echo "$name is not installed"
    done
    for name in "$mingw" ssh sftp ssh-keygen flock setsid; do
        command -v "$name" >/dev/null || echo "$name is not installed"
    done
    [ "$(id -u)" -eq 0 ] || echo "not root: SFTP cannot be confined to the host's file tree"
}

# Waits until a command succeeds; says what it waits on, so that a hanging CI log explains itself.
wait_for() { # SECONDS TEXT COMMAND...
    local deadline=$((SECONDS + $1)) text=$2
    shift 2
    until "$@"; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            say "gave up waiting for $text"
            return 1
        fi
        read -rt 0.05 <> <(:) || :
    done
}

# The prefix and the stand-ins are made once per machine and version; every host is a hard-linked copy.
make_template() {
    mkdir -p "$template"
    exec 9>"$template/lock"
    flock 9
    local stamp
    stamp=$(cat "$here/standins.c" "$wineserver" | sha256sum | cut -d' ' -f1)
    if [ "$(cat "$template/stamp" 2>/dev/null)" = "$stamp" ]; then
        exec 9>&-
        return
    fi
    rm -rf "$template/stamp" "$template/prefix"
    say "building the stand-ins"
    "$mingw" -O1 -Wall -Wextra -Werror -municode -static -s -o "$template/standins.exe" "$here/standins.c" -lbcrypt
    say "making a Wine prefix in $template (some seconds, once)"
    export WINEPREFIX=$template/prefix
    setsid "${fixed[@]}" "$wine" wineboot -i </dev/null >/dev/null 2>&1 9>&-
    # The registry reaches the disk when the last process of the prefix has ended.
    "$wineserver" -w 9>&-
    if [ ! -s "$template/prefix/system.reg" ]; then
        say "Wine made no prefix in $template/prefix"
        return 1
    fi
    echo "$stamp" >"$template/stamp"
    exec 9>&-
}

copy_tree() { cp -al "$1" "$2" 2>/dev/null || { rm -rf "$2" && cp -a "$1" "$2"; }; }

make_drive() {
    mkdir -p "$dir/root" "$dir/prefix/dosdevices"
    copy_tree "$template/prefix/drive_c" "$dir/root/C:"
    # Wine writes the registry into these: they are copied, not linked.
    cp -a "$template"/prefix/*.reg "$template/prefix/.update-timestamp" "$dir/prefix/"
    ln -s "$dir/root/C:" "$dir/prefix/dosdevices/c:"
    ln -s / "$dir/prefix/dosdevices/z:"
    ln -s "$dir/root/C:" "$dir/prefix/drive_c"
    local drive="$dir/root/C:" name
    for name in "${replaced[@]}"; do
        ln -f "$template/standins.exe" "$drive/windows/system32/$name.exe" 2>/dev/null ||
            cp --remove-destination "$template/standins.exe" "$drive/windows/system32/$name.exe"
    done
    local utility="$drive/Program Files (x86)/Skyline Communications/Skyline Taskbar Utility"
    mkdir -p "$drive/standins" "$drive/ProgramData" "$utility" "$drive/Skyline DataMiner/Upgrades/Packages"
    cp "$template/standins.exe" "$drive/standins/launch.exe"
    cp "$template/standins.exe" "$utility/SLTaskbarUtility.exe"
    local executor="$drive/Skyline DataMiner/Tools/StandaloneBpaExecutor"
    mkdir -p "$executor"
    cp "$template/standins.exe" "$executor/StandaloneBpaExecutor.exe"
}

# sftp-server behind chroot needs its libraries and one user; then `/C:/…` is a path as on Windows.
make_sftp_root() {
    mkdir -p "$dir/root/etc" "$dir/root/bin" "$dir/root/dev"
    echo 'root:x:0:0::/:/bin/sh' >"$dir/root/etc/passwd"
    # It only wants to open it; a device node may be forbidden in a container.
    : >"$dir/root/dev/null"
    cp "$sftp_server" "$dir/root/bin/sftp-server"
    local library
    ldd "$sftp_server" | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$dir/root$(dirname "$library")"
        cp -L "$library" "$dir/root$library"
    done
}

# What sshd runs for every request. Standard error goes through a file: a process that a scheduled task left
# behind would otherwise keep the channel open under Wine, which it does not on Windows.
# 127 is what the dynamic loader and bash say of a program that could not start at all; launch.exe never returns it.
# So no Windows program ran, and trying again cannot run one twice. Each such start is kept for whoever wonders.
make_launcher() {
    cat >"$dir/sshd/exec" <<END
#!/bin/bash
case "\${SSH_ORIGINAL_COMMAND-}" in
    sftp-stand-in) exec /usr/sbin/chroot "$dir/root" /bin/sftp-server ;;
    '') echo 'this host has no interactive shell' >&2; exit 1 ;;
esac
export WINEPREFIX="$dir/prefix" WINEDEBUG=-all DISPLAY= LC_ALL=C.UTF-8
export WINEDLLOVERRIDES="$WINEDLLOVERRIDES"
export STANDINS_COMMAND="\$SSH_ORIGINAL_COMMAND"
errors=\$(mktemp "$dir/sshd/stderr.XXXXXX")
for try in 1 2 3; do
    ${fixed[*]} "$wine" 'C:\\standins\\launch.exe' </dev/null 2>"\$errors"
    code=\$?
    [ \$code -eq 127 ] || break
    { echo "\$(date -u +%T) try \$try ended with 127: \$STANDINS_COMMAND"; cat "\$errors"; } >>"$dir/sshd/loader-failures"
done
cat "\$errors" >&2
rm -f "\$errors"
exit \$code
END
    chmod 755 "$dir/sshd/exec"
}

make_keys() {
    ssh-keygen -q -t ed25519 -N '' -C host -f "$dir/sshd/host_key"
    ssh-keygen -q -t ed25519 -N '' -C client -f "$dir/client_key"
    cp "$dir/client_key.pub" "$dir/sshd/authorized_keys"
}

listening() { grep -q 'Server listening on' "$dir/sshd/log" 2>/dev/null || ! kill -0 "$1" 2>/dev/null; }

# sshd takes no port 0: try ports until one is free.
start_sshd() {
    mkdir -p /run/sshd
    local try port pid
    for try in $(seq 40); do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        cat >"$dir/sshd/config" <<END
ListenAddress 127.0.0.1
Port $port
HostKey $dir/sshd/host_key
AuthorizedKeysFile $dir/sshd/authorized_keys
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowTcpForwarding no
MaxStartups 200
Subsystem sftp sftp-stand-in
ForceCommand $dir/sshd/exec
END
        : >"$dir/sshd/log"
        setsid "$sshd" -D -f "$dir/sshd/config" -E "$dir/sshd/log" </dev/null >/dev/null 2>&1 &
        pid=$!
        wait_for 20 "sshd on 127.0.0.1:$port (try $try)" listening "$pid"
        if grep -q 'Server listening on' "$dir/sshd/log"; then
            echo "$pid" >"$dir/sshd/pid"
            echo "$port" >"$dir/sshd/port"
            return
        fi
    done
    say "sshd did not start; its log:"
    cat "$dir/sshd/log" >&2
    return 1
}

start_wine() {
    export WINEPREFIX=$dir/prefix
    # The first process of a prefix keeps its output open in services.exe, so it gets none of ours.
    if [ "${#fixed[@]}" -eq 0 ]; then
        say "this machine forbids personality(2) (setarch -R): a Wine process may fail now and then"
    fi
    setsid "${fixed[@]}" "$wineserver" -p </dev/null >/dev/null 2>&1
    STANDINS_COMMAND='cmd.exe /d /c exit 0' setsid timeout 60 "${fixed[@]}" "$wine" 'C:\standins\launch.exe' </dev/null >/dev/null 2>&1 || {
        say "Wine's cmd does not run in $dir/prefix"
        return 1
    }
}

up() {
    if [ -f "$dir/host.env" ] && kill -0 "$(cat "$dir/sshd/pid")" 2>/dev/null; then
        say "already up in $dir"
        return
    fi
    local lack
    lack=$(missing)
    if [ -n "$lack" ]; then
        say "cannot make a host: $lack"
        exit 2
    fi
    stop
    rm -rf "$dir"
    trap 'say "failed, cleaning up $dir"; down' EXIT
    make_template
    mkdir -p "$dir/sshd"
    make_keys
    make_drive
    make_sftp_root
    make_launcher
    start_wine
    start_sshd
    {
        echo "PORT=$(cat "$dir/sshd/port")"
        echo "USER=root"
        echo "HOST_KEY=$(ssh-keygen -l -f "$dir/sshd/host_key.pub" | cut -d' ' -f2)"
        echo "CLIENT_KEY=$dir/client_key"
        echo "DRIVE=$dir/root/C:"
    } >"$dir/host.env.part"
    mv "$dir/host.env.part" "$dir/host.env"
    trap - EXIT
    say "up in $dir on port $(cat "$dir/sshd/port")"
}

stop() {
    if [ -f "$dir/sshd/pid" ]; then
        kill "$(cat "$dir/sshd/pid")" 2>/dev/null || :
    fi
    if [ -d "$dir/prefix" ]; then
        WINEPREFIX=$dir/prefix "$wineserver" -k 2>/dev/null || :
        WINEPREFIX=$dir/prefix "$wineserver" -w 2>/dev/null || :
    fi
}

down() {
    stop
    rm -rf "$dir"
}

case "${1-} ${2-}" in
    'check ')
        lack=$(missing)
        [ -z "$lack" ] || { echo "$lack"; exit 1; }
        ;;
    'up '?* | 'down '?*)
        mkdir -p "$(dirname "$2")"
        dir=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
        "$1"
        ;;
    *)
        echo 'usage: host.sh check | up DIR | down DIR' >&2
        exit 2
        ;;
esac

/// The shell script that ends a cluster, in three roles: to `watch` an owner, to `clear` up before a start,
/// to `discard` an abandoned home.
///
/// Why a shell, and why a separate process: whoever is to act after our SIGKILL cannot be in our process, and
/// a library cannot know where a helper program of its own would be installed; `sh` and util-linux's `flock`
/// are on every system that has PostgreSQL packages. Why a pipe and not `PR_SET_PDEATHSIG`: that signal is
/// sent when the *thread* that started the child ends, which for a thread pool is any moment; it is cleared
/// when the child changes its user id, as ours does under root; and it would have to be asked of `postgres`
/// itself. The end of a pipe is seen exactly when the last copy of its write end is gone, so exactly when the
/// owner is.
///
/// The script runs under the server's account, never as root: it can kill and remove only what is the
/// server's. A process belongs to the cluster when its descriptor 3 is `processes.lock`; a shell of the user
/// that happens to stand in the directory does not, and a process id written into a file is never trusted
/// alone.
enum ClusterScript {
    static let text = #"""
        role=$1 home=$2 fate=$3 sockets=$4
        lock=$home/processes.lock
        pidfile=$home/data/postmaster.pid
        # The owner decides when it is over, not a Ctrl-C or a closed terminal.
        trap '' HUP INT TERM PIPE
        cd /

        is_member() {
            [ "/proc/$1/fd/3" -ef "$lock" ]
        }

        # An ending process lets go of its locks a little before it is gone. A zombie is gone: it waits for its parent.
        await_death() {
            while { read -r stat <"/proc/$1/stat"; } 2>/dev/null; do
                case ${stat##*) } in [ZX]*) return ;; esac
                sleep 0.01
            done
        }

        # Stops the server with signal $1, waits for it up to $2 seconds, then kills what is left.
        # Afterwards this process holds processes.lock alone: nothing of the cluster is alive.
        end_processes() {
            exec 6>>"$lock" || exit 1
            server= ended=
            [ -r "$pidfile" ] && read -r server <"$pidfile"
            if [ -n "$server" ] && is_member "$server"; then
                kill -s "$1" "$server" 2>/dev/null
                ended=$server
                flock -w "$2" -x 6
            fi
            # No server, one that does not obey, or backends (or an initdb) that outlived their parent. A process
            # between setpriv's change of user and its exec is not visible yet, but holds the lock: look again.
            tries=0
            until flock -n -x 6; do
                for process in /proc/[0-9]*; do
                    process=${process#/proc/}
                    if is_member "$process"; then
                        kill -s KILL "$process" 2>/dev/null
                        ended="$ended $process"
                    fi
                done
                tries=$((tries + 1))
                [ "$tries" -lt 200 ] || { echo "$home: processes of the server cannot be killed" >&2; exit 1; }
                sleep 0.05
            done
            for process in $ended; do await_death "$process"; done
        }

        # A server that was killed left these behind. PostgreSQL would trust the process id in them even if it is
        # a zombie's that nobody reaps, or belongs to another program by now.
        forget_processes() {
            if [ -r "$pidfile" ]; then
                segment=
                { read -r pid; read -r _; read -r _; read -r _; read -r _; read -r _; read -r _ segment; } <"$pidfile"
                if [ "/proc/$pid/cwd" -ef "$home/data" ]; then
                    echo "$home/data: in use by process $pid, a server that was started by other means" >&2
                    exit 1
                fi
                # The System V segment that guards the data directory outlives a killed server.
                [ "$fate" = remove ] && [ -n "$segment" ] && ipcrm -m "$segment" 2>/dev/null
                rm -f "$pidfile"
            fi
            rm -f "$sockets"/.s.PGSQL.*
        }

        end_server() {
            case $1 in
            immediate) end_processes QUIT 10 ;;
            *) end_processes INT 60 ;;
            esac
            forget_processes
        }

        # Who looks whether a home is abandoned may make its locks anew just as it goes: then once more.
        remove_home() {
            tries=0
            until rm -rf "$home" 2>/dev/null; do
                tries=$((tries + 1))
                [ "$tries" -lt 100 ] || { rm -rf "$home"; return; }
                sleep 0.05
            done
        }

        case $role in
        watch)
            # Descriptor 0: a pipe only the owner can write to. 3: the owner's share of users.lock.
            read -r order || order=
            exec 5>>"$home/lifecycle.lock"
            flock -x 5
            flock -n -x 3 || exit 0 # others use the cluster
            if [ "$fate" = remove ]; then
                end_server "${order:-immediate}"
                remove_home
            else
                end_server "${order:-fast}"
                [ "$sockets" = "$home/socket" ] || rmdir "$sockets"
            fi
            ;;
        clear)
            # The caller holds lifecycle.lock.
            end_server "$5"
            rm -rf "$home/data.new"
            ;;
        discard)
            # A throw-away home nobody uses any more; whoever finds a lock taken leaves it to the other.
            exec 5>>"$home/lifecycle.lock" 3>>"$home/users.lock"
            flock -n -x 5 && flock -n -x 3 || exit 0
            end_server immediate
            remove_home
            ;;
        esac
        """#

    /// The script in a role, to be run under the server's account with `file()` as descriptor 4.
    static func command(_ role: String, _ home: ClusterHome, _ arguments: String...) -> Command {
        let positional = [role, home.path, home.fate.rawValue, home.socketDirectory] + arguments
        return home.account.command("/bin/sh", ["/dev/fd/4"] + positional)
    }

    /// The text in a memory file: a process listing then shows the role and the home instead of the text.
    static func file() throws(LocalPostgresError) -> Descriptor {
        let file = try Descriptor.memoryFile("local-postgres")
        file.write(text)
        return file
    }
}

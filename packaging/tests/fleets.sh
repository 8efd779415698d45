# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
#
# What watches many hosts: systemd's units, the metrics as node_exporter and Prometheus read them, the alerts, and the plugin
# for node-problem-detector.

for tool in promtool prometheus-node-exporter systemd-analyze python3; do
    command -v "$tool" >/dev/null ||
        die "$tool is not here: apt-get install --no-install-recommends prometheus prometheus-node-exporter systemd python3"
done

printf '  units\n'
# As installed, with a program where they have it.
units=$work/units
rm -rf "$units"
mkdir -p "$units"
for unit in packaging/systemd/*; do
    sed "s|/usr/bin/key-dns|$EXECUTABLE|; /^Documentation=/d" "$unit" >"$units/${unit##*/}"
done
systemd-analyze verify "$units"/* 2>"$work/verify" || { cat "$work/verify" >&2; die 'systemd-analyze verify'; }
[ ! -s "$work/verify" ] || { cat "$work/verify" >&2; die 'systemd-analyze verify has something to say'; }
# 4.6 of 10. What is missing would take it out of the host's mount namespace, its network or its users.
systemd-analyze security --offline=true --threshold=46 "$units/key-dns-metrics.service" >"$work/security" ||
    { cat "$work/security" >&2; die 'systemd-analyze security'; }
# None of the settings that bring a mount namespace along (systemd.exec(5)).
if grep -E '^(Protect(System|Home|Proc|Hostname|Kernel|Control)|Private|ReadOnly|ReadWrite|Inaccessible|Temporary|Bind|Root|ProcSubset|DynamicUser)' \
    packaging/systemd/key-dns-metrics.service; then
    die 'the service would not see the mounts of the host'
fi

printf '  metrics\n'
folder=$work/textfile
rm -rf "$folder"
mkdir -p "$folder"
# The command of the unit, as it stands there.
command=$(sed -n 's|^ExecStart=||p' "$units/key-dns-metrics.service")
TEXTFILE_FOLDER=$folder NAMES='localhost' bash -euc "$command"
[ "$(ls -A "$folder")" = key-dns.prom ] || die "there is more than one file: $(ls -A "$folder")"
promtool check metrics <"$folder/key-dns.prom" || die 'promtool check metrics'
grep -qx 'key_dns_lookup_success{name="localhost"} [01]' "$folder/key-dns.prom" || die 'the name of the setting was not asked for'

# The collector itself.
port=19137
prometheus-node-exporter --collector.disable-defaults --collector.textfile --collector.textfile.directory="$folder" \
    --web.listen-address="127.0.0.1:$port" 2>"$work/exporter" &
exporter=$!
python3 - "$port" "$folder/key-dns.prom" <<'END' || { kill "$exporter"; cat "$work/exporter" >&2; die 'node_exporter'; }
import sys
import time
import urllib.request

for _ in range(100):
    try:
        text = urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/metrics").read().decode()
        break
    except OSError:
        time.sleep(0.1)
lines = text.splitlines()
assert "node_textfile_scrape_error 0" in lines, text
samples = [line for line in open(sys.argv[2]).read().splitlines() if not line.startswith("#")]
names = {line.split("{")[0].split(" ")[0] for line in samples}
shown = [line for line in lines if line.startswith("key_dns_")]
assert len(shown) == len(samples), (shown, samples)
assert names == {line.split("{")[0].split(" ")[0] for line in shown}, names
END
kill "$exporter"
wait "$exporter" || true

printf '  alerts\n'
promtool check rules packaging/prometheus/*.rules.yml || die 'promtool check rules'
promtool test rules packaging/tests/*.rules.test.yml || die 'promtool test rules'

printf '  plugin\n'
python3 - packaging/node-problem-detector/key-dns.json "$EXECUTABLE" <<'END' || die 'the plugin for node-problem-detector'
import json
import re
import subprocess
import sys

config, program = json.load(open(sys.argv[1])), sys.argv[2]
# What its loader wants (pkg/custompluginmonitor/types/config.go of node-problem-detector).
assert set(config) == {"plugin", "pluginConfig", "source", "metricsReporting", "conditions", "rules"}, set(config)
assert config["plugin"] == "custom"


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text)[1])


settings = config["pluginConfig"]
assert set(settings) <= {
    "invoke_interval", "timeout", "max_output_length", "concurrency", "enable_message_change_based_condition_update",
    "skip_initial_status",
}
conditions = {each["type"]: each for each in config["conditions"]}
assert set(conditions) == {"DeadMount", "KernelNameLookupBroken"}
assert all(set(each) == {"type", "reason", "message"} for each in conditions.values())
for rule in config["rules"]:
    assert set(rule) == {"type", "condition", "reason", "path", "args", "timeout"}, rule
    assert rule["type"] == "permanent" and rule["condition"] in conditions
    assert rule["reason"] != conditions[rule["condition"]]["reason"]
    # It ends by itself before it is ended, and before it is begun again.
    own = int(rule["args"][rule["args"].index("--timeout") + 1])
    assert own < seconds(rule["timeout"]) <= seconds(settings["timeout"]) < seconds(settings["invoke_interval"])
    assert rule["path"] == "/usr/bin/key-dns"
    done = subprocess.run(["key-dns", *rule["args"]], executable=program, capture_output=True, timeout=seconds(rule["timeout"]))
    # 0 well, 1 not, 2 unknown; a line that is kept whole.
    line = done.stdout.decode()
    assert done.returncode in (0, 1, 2) and not done.stderr, done
    assert line.count("\n") == 1 and line.endswith("\n"), line
    assert len(line.strip().encode()) <= settings["max_output_length"], line
    if done.returncode == 0:
        assert line.strip() == conditions[rule["condition"]]["message"], line
    print(f"    {rule['condition']}: {done.returncode} {line.strip()}")
END

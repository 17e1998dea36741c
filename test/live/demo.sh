#!/bin/sh
# The demo, as anyone would run it, on the real book where there is one beside the checkout, else on the generated one.
# Prints its JSON; exits 0 only if that says ok.
set -eu

cd "$(dirname "$0")/../.."
book=../shared/data/berka-1993-1994.csv.gz
if [ -f "$book" ]; then set -- --input "$book"; else set --; fi
report="$(npm run -s evenkeel -- demo --json "$@")"
printf '%s\n' "$report"
printf '%s' "$report" | node -e '
  const report = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  process.exit(report.ok === true && report.rows > 0 ? 0 : 1);
'

#!/bin/sh
# The demo, as anyone would run it, on the real book where there is one beside the checkout, else on the generated one.
# Prints its JSON; exits 0 only if that says ok.
set -eu

cd "$(dirname "$0")/../.."
book=../shared/data/berka-1993-1994.csv.gz
kind=generated
if [ -f "$book" ]; then kind=real; set -- --input "$book"; else set --; fi
report="$(npm run -s evenkeel -- demo --json "$@")"
printf '%s\n' "$report"
printf '%s' "$report" | node -e '
  const report = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  // What a correct ledger shows of the real book is known; of the generated one every balance is exact.
  const real = process.argv[1] === "real";
  const exact = real ? 27119 : report.rows;
  const offMax = real ? 70 : 0;
  const rows = real ? 46997 : report.rows;
  const asKnown = report.rows === rows && report.balances_exact === exact && report.balance_off_max === offMax;
  process.exit(report.ok === true && report.rows > 0 && asKnown ? 0 : 1);
' "$kind"

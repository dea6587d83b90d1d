#!/bin/bash
# The tables of docs/results.md, out of the reports that bench/claims.sh leaves.
#
#     bench/claims_table.sh [FOLDER]      default: runs/claims
#
# Prints Markdown: a row for each cell, then one for each arm of the variants, whose differences are
# to the control. What is not there yet is a dash.
set -eu
folder=${1:-runs/claims}

# field REPORT HEADING ROW COLUMN: of the row whose first cell is ROW, in the section HEADING...
field() {
    [ -f "$1" ] || { echo -; return; }
    awk -F ' *[|] *' -v heading="## $2" -v row="$3" -v column="$4" '
        /^## / { inside = index($0, heading) == 1 }
        inside && $2 == row { print $(column + 1); found = 1; exit }
        END { if (!found) print "-" }' "$1"
}

# arm REPORT NAME: top-1 of the last epoch, and of the best one in brackets
arm() {
    printf '%s (%s)' "$(field "$1" Accuracy "$2" 4)" \
        "$(field "$1" Accuracy "$2" 5 | sed 's/ .*//')"
}

row() { # CELL
    local report=$folder/$1/report.md paper=$folder/$1-2n/report.md network=${1%%-*}
    local dlb=$network-dlb control=$network-dlb-control
    printf '| %s | %s | %s | %s | %s | %s | %s | %s |\n' "$1" "$(arm "$report" "$network")" \
        "$(arm "$paper" "$network")" "$(arm "$report" "$control")" "$(arm "$report" "$dlb")" \
        "$(field "$report" Where "distillation: $dlb minus $control" 3)" \
        "$(field "$report" Where "total: $dlb minus $network" 3)" \
        "$(field "$paper" Where "total: $dlb minus $network" 3)"
}

cat <<'END'
| cell | baseline, equal images | baseline, half the images | control | DLB | distillation: DLB − control | DLB − baseline, equal images | DLB − baseline, half the images |
| --- | --- | --- | --- | --- | --- | --- | --- |
END
for report in "$folder"/*/report.md; do
    cell=$(basename "$(dirname "$report")")
    [[ $cell == *-2n || $cell == *-variants ]] || row "$cell"
done

for report in "$folder"/*-variants/report.md; do
    [ -f "$report" ] || continue
    printf '\n%s\n\n' "$(basename "$(dirname "$report")")"
    printf '| arm | top-1 (best epoch) | minus the control |\n| --- | --- | --- |\n'
    awk -F ' *[|] *' '$3 == "arm" || $3 == "baseline" { print $2 }' "$report" |
        while read -r name; do
            printf '| %s | %s | %s |\n' "$name" "$(arm "$report" "$name")" \
                "$(field "$report" Differences "$name minus small-dlb-control" 3)"
        done
done

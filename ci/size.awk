# Reports functions over 80 lines and files over their limit. A function starts at a line "{" and ends at a line "}".
FNR == 1 { if (file != "" && lines > limit) { printf "size: %s has %d lines, %d at most\n", file, lines, limit; bad = 1 }
           file = FILENAME; limit = file ~ /\.h$/ ? 250 : 700; lines = 0; start = 0 }
{ lines++ }
/^\{/ { start = FNR; head = before }
/^\}/ { if (start && FNR - start - 1 > 80) { printf "size: %s:%d: %s has %d lines, 80 at most\n", FILENAME, start, head, FNR - start - 1; bad = 1 } start = 0 }
{ if ($0 !~ /^[ \t]/) before = $0 }
END { if (lines > limit) { printf "size: %s has %d lines, %d at most\n", file, lines, limit; bad = 1 } exit bad }

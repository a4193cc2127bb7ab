tail -n +2 "$1" | cut -d, -f2 | sort -n | head -n "$3" > "$2"

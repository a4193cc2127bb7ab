echo "{\"lines\": $(grep -c "" "$1")}" > "$2"

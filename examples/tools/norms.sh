#!/bin/sh
# A tool for the circuit track in shell and awk.
#
# The score of an edge is the norm of what its writer writes with, times the norm of what its
# reader reads with. It looks at no data.
#
#     glassbench score --command "sh norms.sh {problem} {answer}" --suite quick
set -eu
problem=$1
answer=$2
file=$problem/model/weights.safetensors

# A safetensors file is the size of a header, the header, and the bytes of the arrays.
size=$(od -An -t u8 -N 8 "$file" | tr -d ' ')
header=$(dd if="$file" bs=1 skip=8 count="$size" 2>/dev/null)

# One line for each array: its name, its extents with commas, and all of its numbers.
arrays() {
    printf '%s' "$header" |
        sed 's/},/}\n/g' |
        sed -n 's/.*"\([A-Za-z_]*\)":{"dtype":"F64","shape":\[\([0-9,]*\)\],"data_offsets":\[\([0-9]*\),\([0-9]*\)\].*/\1 \2 \3 \4/p' |
        while read -r name shape from to; do
            printf '%s %s ' "$name" "$shape"
            od -An -v -t f8 -j $((8 + size + from)) -N $((to - from)) "$file" | tr '\n' ' '
            printf '\n'
        done
}

# The names that are asked for, one a line; they hold no quotation marks.
names() {
    grep -o '"[^" ]*->[^" ]*"' "$problem/problem.json" | tr -d '"'
}

id=$(sed -n 's/^ "id": "\([0-9a-f]*\)".*/\1/p' "$problem/problem.json")

{
    arrays
    names
} | awk -v id="$id" '
    # The norm of the matrix that an array has at an index of all but its last two axes.
    NF > 1 {
        axes = split($2, extent, ",")
        if (axes < 2) next
        entries = extent[axes - 1] * extent[axes]
        for (i = 3; i <= NF; i++) {
            place = int((i - 3) / entries)
            square[$1, place] += $i * $i
        }
        heads[$1] = axes == 4 ? extent[2] : 1
        next
    }
    function norm(name, layer, head) {
        return sqrt(square[name, layer * heads[name] + head])
    }
    {
        split($1, ends, "->")
        writer = ends[1]
        reader = ends[2]
        split(writer, w, /[^0-9]+/)
        split(reader, r, /[^0-9]+/)
        if (writer == "embed") score = norm("W_E", 0, 0)
        else if (writer == "pos_embed") score = norm("W_pos", 0, 0)
        else if (writer ~ /^a/) score = norm("W_O", w[2], w[3])
        else score = norm("W_out", w[2], 0)
        if (reader == "logits") score *= norm("W_U", 0, 0)
        else if (reader ~ /^m/) score *= norm("W_in", r[2], 0)
        else score *= norm("W_" toupper(substr(reader, length(reader) - 1, 1)), r[2], r[3])
        scores = scores sprintf("%s\"%s\": %.9g", n++ ? ", " : "", $1, score)
    }
    END {
        printf "{\"format_version\": \"1.0\", \"problem\": \"%s\", \"scores\": {%s}}\n", id, scores
    }
' > "$answer/answer.json"

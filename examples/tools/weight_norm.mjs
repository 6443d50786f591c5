// A tool for the circuit track in JavaScript, with node alone.
//
// The score of an edge is the Frobenius norm of the matrix by which its reader reads what its
// writer writes. It looks at no data.
//
//     glassbench score --command "node weight_norm.mjs {problem} {answer}" --suite quick

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// The arrays of a safetensors file: a size, a header of JSON, and bytes.
function load(file) {
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, start).toString());
  const arrays = {};
  for (const [name, { shape, data_offsets: [from, to] }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const numbers = Array.from({ length: (to - from) / 8 }, (_, i) =>
      bytes.readDoubleLE(start + from + 8 * i),
    );
    arrays[name] = { shape, numbers };
  }
  return arrays;
}

// The matrix at some indices of the first axes of an array, as rows.
function matrix({ shape, numbers }, ...indices) {
  const [rows, columns] = shape.slice(-2);
  const place = indices.reduce((sum, index, axis) => sum * shape[axis] + index, 0);
  return Array.from({ length: rows }, (_, i) => {
    const first = place * rows * columns + i * columns;
    return numbers.slice(first, first + columns);
  });
}

function normOfProduct(left, right) {
  let sum = 0;
  for (const row of left) {
    for (let j = 0; j < right[0].length; j++) {
      let entry = 0;
      for (let k = 0; k < row.length; k++) entry += row[k] * right[k][j];
      sum += entry * entry;
    }
  }
  return Math.sqrt(sum);
}

const [problem, answer] = process.argv.slice(2);
const asked = JSON.parse(readFileSync(join(problem, "problem.json")));
const weights = load(join(problem, asked.weights));

function writes(writer) {
  if (writer === "embed") return matrix(weights.W_E);
  if (writer === "pos_embed") return matrix(weights.W_pos);
  const [layer, head] = writer.match(/\d+/g).map(Number);
  return writer[0] === "a" ? matrix(weights.W_O, layer, head) : matrix(weights.W_out, layer);
}

function reads(reader) {
  if (reader === "logits") return matrix(weights.W_U);
  const [layer, head] = reader.match(/\d+/g).map(Number);
  if (reader[0] === "m") return matrix(weights.W_in, layer);
  const role = reader.match(/<(.)>/)[1].toUpperCase();
  return matrix(weights[`W_${role}`], layer, head);
}

const scores = {};
for (const edge of asked.answer.names) {
  const [writer, reader] = edge.split("->");
  scores[edge] = normOfProduct(writes(writer), reads(reader));
}
const found = { format_version: "1.0", problem: asked.id, scores, tool_version: "1" };
writeFileSync(join(answer, "answer.json"), JSON.stringify(found));

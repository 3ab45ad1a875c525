// Layers of a graph: what refers to others stands left of them, but for references that close a cycle.

export interface Box {
  node: number;
  width: number;
  height: number;
  layer: number;
  x: number;
  y: number;
}

export interface Edge {
  from: number;
  to: number;
  /** The height of the line in its box where the edge begins. */
  port: number;
  isBack: boolean;
}

const GAP_X = 90;
const GAP_Y = 18;

/** Places boxes, the first of which is the start. Boxes and edges are by index. */
export function place(boxes: Box[], edges: Edge[]): void {
  const out: Edge[][] = boxes.map(() => []);
  const into: Edge[][] = boxes.map(() => []);
  for (const edge of edges) out[edge.from].push(edge);
  const order = markBackEdges(boxes.length, out);
  for (const edge of edges) if (!edge.isBack) into[edge.to].push(edge);
  // In the order in which a search leaves the boxes, reversed, each box comes after all that refer to it.
  for (const at of order) for (const edge of out[at]) if (!edge.isBack) boxes[edge.to].layer = Math.max(boxes[edge.to].layer, boxes[at].layer + 1);

  const layers: number[][] = [];
  for (const at of order) (layers[boxes[at].layer] ??= []).push(at);
  const rank = new Float64Array(boxes.length);
  const number = (layer: number[]): void => layer.forEach((at, position) => { rank[at] = position; });
  layers.forEach(number);
  const mean = (near: number[], otherwise: number): number => near.length === 0 ? otherwise : near.reduce((sum, at) => sum + rank[at], 0) / near.length;
  for (let sweep = 0; sweep < 6; sweep++) {
    const isDown = sweep % 2 === 0;
    for (const layer of isDown ? layers : [...layers].reverse()) {
      const wanted = new Map(layer.map((at) => {
        const near = isDown ? into[at].map((edge) => edge.from + edge.port / 1e6) : out[at].filter((edge) => !edge.isBack).map((edge) => edge.to);
        return [at, mean(near.map(Math.floor), rank[at]) + (isDown && into[at].length > 0 ? into[at][0].port / 1e4 : 0)];
      }));
      layer.sort((a, b) => wanted.get(a)! - wanted.get(b)!);
      number(layer);
    }
  }

  let x = 0;
  for (const layer of layers) {
    let width = 0;
    for (const at of layer) {
      boxes[at].x = x;
      width = Math.max(width, boxes[at].width);
    }
    x += width + GAP_X;
    straighten(layer, boxes, into);
  }
}

/** Finds the edges that close cycles. Returns the boxes in an order in which the others lead forward. */
function markBackEdges(count: number, out: Edge[][]): number[] {
  const state = new Uint8Array(count);
  const left: number[] = [];
  for (let start = 0; start < count; start++) {
    if (state[start] > 0) continue;
    const path: [number, number][] = [[start, 0]];
    state[start] = 1;
    while (path.length > 0) {
      const top = path[path.length - 1];
      const edge = out[top[0]][top[1]++];
      if (!edge) {
        state[top[0]] = 2;
        left.push(top[0]);
        path.pop();
      } else if (state[edge.to] === 1) edge.isBack = true;
      else if (state[edge.to] === 0) {
        state[edge.to] = 1;
        path.push([edge.to, 0]);
      }
    }
  }
  return left.reverse();
}

/** Places the boxes of a layer beside what refers to them, in their order and without overlaps. */
function straighten(layer: number[], boxes: Box[], into: Edge[][]): void {
  const wanted = layer.map((at) => {
    const edges = into[at];
    if (edges.length === 0) return 0;
    return edges.reduce((sum, edge) => sum + boxes[edge.from].y + edge.port, 0) / edges.length - 14;
  });
  let bottom = -Infinity;
  layer.forEach((at, position) => {
    boxes[at].y = Math.max(bottom + GAP_Y, wanted[position]);
    bottom = boxes[at].y + boxes[at].height;
  });
  // What was pushed down as a whole is moved back up by the mean distance.
  const shift = layer.reduce((sum, at, position) => sum + boxes[at].y - wanted[position], 0) / Math.max(1, layer.length);
  for (const at of layer) boxes[at].y -= shift;
}

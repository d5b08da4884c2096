// Where a row goes in a KV cache: a ring of frames behind the sink. With window 0 rows stay where they are.
fn slot_row(row: u32) -> u32 {
  if (params.window == 0u) { return row; }
  let frame = params.first_frame + row / params.per_frame;
  var slot = frame;
  if (frame >= params.sink) { slot = params.sink + (frame - params.sink) % (params.window - params.sink); }
  return slot * params.per_frame + row % params.per_frame;
}

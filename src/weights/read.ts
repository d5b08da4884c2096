/** Opens a checkpoint file of any format that Kinora knows, told by its first bytes. */
import { readGguf } from './gguf';
import { MAX_HEADER, readSafetensors } from './safetensors';
import { withScales } from './scaled';
import { readTorch } from './torch';
import { damaged, readExactly, type ByteSource, type WeightFile } from './source';

/** Reads the header only. Throws `bad-model` when the file is damaged or of an unknown format. */
export async function readWeights(source: ByteSource): Promise<WeightFile> {
  return withScales(await readStored(source));
}

/** The same with all tensors as the file lists them, scales too: those of a shard may belong to another shard's tensors. */
export async function readStored(source: ByteSource): Promise<WeightFile> {
  if (source.size < 8) throw damaged(source.name, `it has only ${source.size} bytes.`, { size: source.size });
  const head = await readExactly(source, 0, Math.min(9, source.size));
  const magic = String.fromCharCode(...head.subarray(0, 4));
  if (magic === 'GGUF') return readGguf(source);
  if (magic === 'PK\x03\x04') return readTorch(source);
  // Whole pickles, as PyTorch wrote them before 1.6 too. A header of safetensors that has 640 bytes, or 65536 more, begins
  // with the same two, but all eight are then a length that can be, and JSON follows.
  const pickle = head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5;
  const header = new DataView(head.buffer).getBigUint64(0, true);
  if (pickle && !(header <= MAX_HEADER && head[8] === 0x7b /* { */))
    throw damaged(
      source.name,
      'it is a bare Python pickle, which may hold a program; Kinora never opens those. Save it as safetensors, or with torch.save of PyTorch 1.6 or newer.',
    );
  return readSafetensors(source);
}

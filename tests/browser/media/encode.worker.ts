/** The engine's use of src/media, in a worker as it is there. */
import { chooseCodec, ClipEncoder } from '../../../src/media/encoder';
import { poster, sha256Hex } from '../../../src/media/frames';
import { RECIPE, texture } from '../../helpers/clips';

async function work() {
  const size = { width: 96, height: 64 };
  const encoder = await ClipEncoder.open({
    ...size,
    fps: 16,
    codec: await chooseCodec(96, 64, 16),
    recipe: RECIPE,
  });
  for (let i = 0; i < 4; i++) await encoder.encode(texture(96, 64, i), i);
  const first = texture(96, 64, 0);
  return { file: await encoder.finish(), poster: await poster(first, size), hash: await sha256Hex(first) };
}

work().then(postMessage, (e) => postMessage({ error: String(e) }));

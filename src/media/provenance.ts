/**
 * What a finished clip says of itself: an XMP packet in the standard top-level `uuid` box of the MP4, with a
 * plain statement that it was made by AI, the prompt and every setting. Written beside the picture, not
 * into it: re-encoding loses it, and anybody may take it out. Reading it back restores the settings.
 */
import { KinoraError } from '../errors';
import type { Recipe } from '../worker/protocol/clip';
import { topLevelBoxes, uuidBox } from './mp4';
import { parseRecipe } from './recipe';
import { escapeXml, findProperty } from './xml';

/** XMP specification part 3, 1.2.7.1: "XMP in ISO base media files". */
const XMP_UUID = 'be7acfcb97a942e89c71999491e3afac';
const NAMESPACE = 'urn:x-kinora:xmp:1.0/';
/** The IPTC's word for "made by a trained model": https://cv.iptc.org/newscodes/digitalsourcetype/ */
export const DIGITAL_SOURCE_TYPE = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';
/** Bytes. Ours take 2 to 130 KB; other writers' packets reach some hundred KB. */
const PACKET_LIMIT = 4 * 1024 * 1024;

/** "Kinora Pocket 1": how the statement names the model. */
const system = (recipe: Recipe) => `Kinora, model ${recipe.model}, edition ${recipe.edition}`;

/**
 * The XMP packet (UTF-8 text) of a recipe. People and tools read dc, xmp, IPTC and the single `kinora:`
 * properties; `kinora:Recipe` holds all of it once more as JSON, which is what `readRecipe` takes: exact, down
 * to the characters that XML cannot carry.
 */
export function writeXmp(recipe: Recipe): string {
  const statement = `This video was made by artificial intelligence (${system(recipe)}). It shows nothing that happened.`;
  // ASCII alone, so that no tool on the way can change a character.
  const json = JSON.stringify(parseRecipe(recipe)).replace(
    /[^\x20-\x7e]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const properties: [name: string, value: string | number][] = [
    ['xmp:CreatorTool', recipe.app],
    ['xmp:CreateDate', recipe.created],
    ['Iptc4xmpExt:DigitalSourceType', DIGITAL_SOURCE_TYPE],
    ['Iptc4xmpExt:AISystemUsed', `Kinora ${recipe.model}`],
    ['Iptc4xmpExt:AISystemVersionUsed', recipe.edition],
    ['Iptc4xmpExt:AIPromptInformation', recipe.prompt],
    ['kinora:Statement', statement],
    ['kinora:Prompt', recipe.prompt],
    ['kinora:Seed', recipe.seed],
    ['kinora:Seconds', recipe.seconds],
    ['kinora:Width', recipe.width],
    ['kinora:Height', recipe.height],
    ['kinora:Steps', recipe.steps],
    ['kinora:Model', recipe.model],
    ['kinora:Edition', recipe.edition],
    ['kinora:Fps', recipe.fps],
    ['kinora:Frames', recipe.frames],
    ['kinora:App', recipe.app],
    ['kinora:Created', recipe.created],
    ['kinora:Recipe', json],
  ];
  const description = `Made by artificial intelligence (${system(recipe)}) from the words: ${recipe.prompt}`;
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:kinora="${NAMESPACE}">
   <dc:format>video/mp4</dc:format>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(description)}</rdf:li></rdf:Alt></dc:description>
${properties.map(([name, value]) => `   <${name}>${escapeXml(String(value))}</${name}>`).join('\n')}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`;
}

/**
 * The packet as the box that goes behind the last box of a finished MP4. At the end it moves nothing, so
 * the chunk offsets in `moov` (stco, co64) stay right.
 */
export function provenanceBox(recipe: Recipe): Uint8Array<ArrayBuffer> {
  return uuidBox(XMP_UUID, new TextEncoder().encode(writeXmp(recipe)));
}

/**
 * How an MP4 was made, or null when it is an MP4 without Kinora's data (another maker's, or stripped).
 * Reads box headers and XMP packets of at most 4 MiB, never the pictures; every value is checked.
 * Throws `bad-request` when the file is no MP4, is cut off, or its settings are damaged.
 */
export async function readRecipe(file: Blob): Promise<Recipe | null> {
  for await (const box of topLevelBoxes(file)) {
    if (box.uuid !== XMP_UUID || box.end - box.content > PACKET_LIMIT) continue;
    const packet = new TextDecoder().decode(await file.slice(box.content, box.end).arrayBuffer());
    const json = findProperty(packet, NAMESPACE, 'Recipe');
    if (json === null) continue; // another tool's packet
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch (e) {
      throw new KinoraError(
        'bad-request',
        'The settings in this clip are damaged and cannot be restored.',
        {},
        String(e),
      );
    }
    return parseRecipe(value);
  }
  return null;
}

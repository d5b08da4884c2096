/** Chooses the Vulkan driver before the test processes start: they inherit the environment. */
import { ensureVulkan } from '../../scripts/vulkan.mjs';

export default async function setup() {
  const { env, note } = await ensureVulkan();
  Object.assign(process.env, env);
  console.log(note);
}

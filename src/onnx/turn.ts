/**
 * A turn of the event loop. onnxruntime-web answers by promises alone: from one network to the next a worker would hear no
 * message, and what the person said or pressed would wait for the end of a block or two.
 */

/** Resolves after the messages that have come already were heard. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    // Not a timer: it stands in line with the messages of the page, and costs no 4 ms.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** The field for what happens next. What is written there outlives the clip: words that came too late for it are not lost. */
export class Saying {
  text = $state('');
  /** The clip was done before these words came to it. */
  late = $state(false);

  /** Another clip is begun. What stands in the field may be for that one. */
  begin(): void {
    this.late = false;
  }

  /**
   * The clip is over.
   * @param unheard what was said and not followed any more; it comes back into the field, before what was typed meanwhile
   * @param done there is a clip that could be extended with it
   */
  end(unheard: string, done: boolean): void {
    this.text = [unheard, this.text.trim()].filter(Boolean).join(' ');
    this.late = done && this.text !== '';
  }

  /** Nobody wants these words any more. */
  drop(): void {
    this.text = '';
    this.late = false;
  }
}

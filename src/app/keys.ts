/** What a key does. Pure, so that it can be tested; App.svelte carries it out. */
export type Action =
  { do: 'generate' | 'cancel' | 'download' | 'help' | 'toggle' } | { do: 'step' | 'skip'; by: number };

export interface Key {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  /** An input method is composing a word. */
  isComposing: boolean;
}

export interface Place {
  /** In a text field, where letters are letters. */
  typing: boolean;
  /** On a button or another control, which has its own use for Space. */
  control: boolean;
  /** On a slider or a choice, which has its own use for the arrows. */
  arrows: boolean;
  /** Whether single keys are wanted at all. */
  singleKeys: boolean;
  /** Something is being made. */
  busy: boolean;
}

export function actionOf(key: Key, place: Place): Action | null {
  if (key.isComposing || key.altKey) return null;
  if (key.ctrlKey || key.metaKey) {
    if (key.key === 'Enter') return { do: 'generate' };
    return key.key.toLowerCase() === 's' ? { do: 'download' } : null;
  }
  if (key.key === 'Escape') return place.busy ? { do: 'cancel' } : null;
  if (place.typing || !place.singleKeys) return null;
  if (key.key === '?') return { do: 'help' };
  switch (key.key.toLowerCase()) {
    case 'k':
      return { do: 'toggle' };
    case 'j':
      return { do: 'skip', by: -1 };
    case 'l':
      return { do: 'skip', by: 1 };
  }
  if (key.key === ' ' && !place.control) return { do: 'toggle' };
  if (key.key === 'ArrowLeft' && !place.arrows) return { do: 'step', by: -1 };
  if (key.key === 'ArrowRight' && !place.arrows) return { do: 'step', by: 1 };
  return null;
}

/** Where a key was pressed, told by the element. */
export function placeOf(target: EventTarget | null): Pick<Place, 'typing' | 'control' | 'arrows'> {
  if (!(target instanceof Element)) return { typing: false, control: false, arrows: false };
  const field = target.closest('input, textarea, select, [contenteditable]');
  const text = field !== null && !/^(radio|checkbox|range|file)$/.test(field.getAttribute('type') ?? '');
  const control = target.closest('button, a, summary, input, select') !== null;
  return { typing: text, control, arrows: field !== null };
}

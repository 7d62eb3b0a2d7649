import { Kbd, Modal } from '@mantine/core'
import s from './shell.module.css'

const KEYS: [string[], string][] = [
  [['⌘', 'K'], 'Search and commands'],
  [['⌘', 'J'], 'Light or dark'],
  [['c'], 'Create from a golden path'],
  [['/'], 'Filter the list'],
  [['v'], 'Saved views of the catalog'],
  [['j', 'k'], 'Move in a table, Enter opens'],
  [['←', '→'], 'Walk through a graph of relations'],
  [['[', ']'], 'Tab before, tab after'],
  [['l'], 'Logs of an entity'],
  [['g', 'h'], 'Home'],
  [['g', 'c'], 'Catalog'],
  [['g', 'n'], 'Create'],
  [['g', 'e'], 'Environments'],
  [['g', 'p'], 'Pull requests'],
  [['g', 'r'], 'Runs'],
  [['g', 's'], 'Settings'],
  [['?'], 'This sheet'],
  [['Esc'], 'Close the top layer'],
]

export function ShortcutSheet({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts" size={420}>
      <dl className={s.keys}>
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>
              {keys.map((k) => (
                <Kbd key={k}>{k}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Modal>
  )
}

import { Button, Checkbox, Popover } from '@mantine/core'
import { Columns3 } from 'lucide-react'
import type { Kind } from '~/api/types'
import ui from '~/ui/ui.module.css'
import s from './catalog.module.css'
import { offeredColumns, usualColumns } from './columns'

const MOST = 20
type Props = { kind?: Kind; chosen?: string[]; onChange: (columns: string[] | undefined) => void }

/** Which columns the table has. What is added comes last; with none chosen, the kind's own are shown. */
export function ColumnPicker({ kind, chosen, onChange }: Props) {
  const usual = usualColumns(kind).map((c) => c.path)
  const shown = chosen ?? usual
  const groups = offeredColumns(kind)
  const known = new Set(groups.flatMap((g) => g.columns.map((c) => c.path)))
  const others = shown.filter((path) => !known.has(path)).map((path) => ({ path, title: path }))
  const set = (paths: string[]) => onChange(paths.length === 0 || paths.join() === usual.join() ? undefined : paths)
  const toggle = (path: string, on: boolean) => set(on ? [...shown, path] : shown.filter((p) => p !== path))
  return (
    <Popover position="bottom-end" width={270} trapFocus>
      <Popover.Target>
        <Button size="xs" variant="subtle" color="gray" leftSection={<Columns3 size={14} />} aria-label="Choose columns">
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={s.columns}>
          {[...groups, ...(others.length ? [{ title: 'Others', columns: others }] : [])].map((g) => (
            <fieldset key={g.title}>
              <legend>{g.title}</legend>
              {g.columns.map((c) => (
                <label key={c.path} className={ui.option}>
                  <Checkbox
                    checked={shown.includes(c.path)}
                    disabled={!shown.includes(c.path) && shown.length >= MOST}
                    onChange={(e) => toggle(c.path, e.currentTarget.checked)}
                  />
                  <span className="trunc" title={c.path}>
                    {c.title}
                  </span>
                </label>
              ))}
            </fieldset>
          ))}
        </div>
        <Button size="xs" variant="default" fullWidth mt={8} disabled={!chosen} onClick={() => onChange(undefined)}>
          Show the usual columns
        </Button>
      </Popover.Dropdown>
    </Popover>
  )
}

/** One file of a change, with its lines: what a pull request has, and what an upgrade would do. */
import { Fragment, type ReactNode } from 'react'
import type { PullFile } from '~/api/types'
import { count } from '~/ui/time'
import { rowsOf } from './diff'
import s from './diff.module.css'

/** A file with more lines is shown closed. */
const LONG = 400

export function Counts({ added, removed }: { added: number | null; removed: number | null }) {
  return (
    <span className="num">
      <span className={s.plus}>+{count(added ?? 0)}</span> <span className={s.minus}>−{count(removed ?? 0)}</span>
    </span>
  )
}

/** `below` is what stands below a line of the new file, as rows of the table; `children` close a file that has lines. */
type FileProps = { file: PullFile; below?: (line: number) => ReactNode; children?: ReactNode }
export function FileBox({ file, below, children }: FileProps) {
  const rows = file.patch ? rowsOf(file.patch) : []
  return (
    <details className={s.file} open={rows.length <= LONG}>
      <summary>
        <span className="mono trunc" style={{ flex: 1, minWidth: 0 }}>
          {file.previous_path && <span className="t3">{file.previous_path} → </span>}
          {file.path}
        </span>
        <span className="t2">{file.status.replace('_', ' ')}</span>
        {!file.is_binary && <Counts added={file.additions} removed={file.deletions} />}
      </summary>
      {file.is_binary && <p className={s.note}>A binary file.</p>}
      {!file.is_binary && !rows.length && <p className={s.note}>{file.is_cut ? 'Too large to be shown here: look at it in a clone.' : 'Its content is the same.'}</p>}
      {rows.length > 0 && (
        <div className={s.code} tabIndex={0} role="region" aria-label={`Changes of ${file.path}`}>
          <table>
            <tbody>
              {rows.map((r, i) => (
                <Fragment key={i}>
                  <tr data-kind={r.kind}>
                    <td className={s.no}>{r.before}</td>
                    <td className={s.no}>{r.after}</td>
                    <td className={s.mark} aria-label={r.kind === 'add' ? 'added' : r.kind === 'remove' ? 'removed' : undefined}>{r.kind === 'add' ? '+' : r.kind === 'remove' ? '−' : ''}</td>
                    <td><code>{r.text}</code></td>
                  </tr>
                  {r.after !== undefined && below?.(r.after)}
                </Fragment>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {file.is_cut && rows.length > 0 && <p className={s.note}>The rest is too large to be shown here: look at it in a clone.</p>}
      {rows.length > 0 && children}
    </details>
  ) // prettier-ignore
}

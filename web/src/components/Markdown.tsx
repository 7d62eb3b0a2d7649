import Render from 'react-markdown'
import remarkGfm from 'remark-gfm'
import s from './shared.module.css'

/** Markdown as data: raw HTML in it is dropped, links with foreign schemes too. */
export default function Markdown({ text }: { text: string }) {
  return (
    <div className={s.md}>
      <Render remarkPlugins={[remarkGfm]} skipHtml>
        {text}
      </Render>
    </div>
  )
}

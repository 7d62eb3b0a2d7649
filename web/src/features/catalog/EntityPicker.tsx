/** Finds an entity by its name and hands over its reference. */
import { Combobox, TextInput, useCombobox } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Search } from 'lucide-react'
import { useState } from 'react'
import { asApiError } from '~/api/errors'
import { entitiesQuery } from '~/api/queries'
import { entityRef, titleOf } from '~/api/refs'
import { KindIcon } from '~/ui/KindIcon'

const FIELDS = 'kind,metadata.name,metadata.namespace,metadata.title,spec.profile.displayName'
export function EntityPicker({ onPick }: { onPick: (ref: string) => void }) {
  const [text, setText] = useState('')
  const [asked] = useDebouncedValue(text, 200)
  const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() })
  const found = useQuery({ ...entitiesQuery({ text: asked, limit: 8, fields: FIELDS }), enabled: asked.trim().length > 0 })
  const items = (asked.trim() && found.data?.items) || []
  return (
    <Combobox
      store={box}
      onOptionSubmit={(ref) => {
        setText('')
        box.closeDropdown()
        onPick(ref)
      }}
    >
      <Combobox.Target>
        <TextInput
          w={230}
          aria-label="Another entity"
          placeholder="Another entity"
          leftSection={<Search size={14} />}
          value={text}
          onChange={(e) => {
            setText(e.currentTarget.value)
            box.openDropdown()
            box.updateSelectedOptionIndex()
          }}
          onFocus={() => box.openDropdown()}
          onBlur={() => box.closeDropdown()}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={!asked.trim()}>
        {!items.length && (
          <Combobox.Empty>
            {found.error ? asApiError(found.error).detail : found.isFetching ? 'Searching…' : 'Nothing matches'}
          </Combobox.Empty>
        )}
        <Combobox.Options aria-label="Entities">
          {items.map((e) => (
            <Combobox.Option key={entityRef(e)} value={entityRef(e)}>
              <span style={{ display: 'flex', gap: 8, alignItems: 'center' }}>
                <KindIcon kind={e.kind} size={18} /> <span className="trunc">{titleOf(e)}</span>
                <span className="t3">{e.kind.toLowerCase()}</span>
              </span>
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  )
}

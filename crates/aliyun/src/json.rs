//! Reads a JSON object (RFC 8259): strictly, in one pass, without a heap, recursion or a reachable panic.
//!
//! Libraries that do without a heap were tried; each can be linked with a panic.

use core::str::Chars;

use heapless::String;

/// How deep arrays and objects may lie in one another.
const MAX_DEPTH: u32 = 32;

/// A string's content or a number, as it stands in the input. As an iterator it gives its characters, with the escapes
/// resolved.
#[derive(Clone)]
pub(crate) struct Text<'a>(Chars<'a>);

impl Text<'_> {
    /// The text, if it is not longer than `N` bytes.
    pub(crate) fn short<const N: usize>(self) -> Option<String<N>> {
        let mut text = String::new();
        for c in self {
            text.push(c).ok()?;
        }
        Some(text)
    }
}

impl Iterator for Text<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self.0.next()? {
            '\\' => escape(&mut self.0),
            c => Some(c),
        }
    }
}

/// Reads an object that is all there is in `input`, and shows its fields: the key, and the value if that is a string or
/// a number. `None` for anything else; some fields may have been shown by then.
pub(crate) fn read_object<'a>(
    input: &'a [u8],
    mut show: impl FnMut(Text<'a>, Option<Text<'a>>),
) -> Option<()> {
    let mut lexer = Lexer(core::str::from_utf8(input).ok()?.chars());
    lexer.expect('{')?;
    if !lexer.takes('}') {
        loop {
            let key = lexer.key()?;
            let value = lexer.value()?;
            show(key, value);
            if !lexer.takes(',') {
                break lexer.expect('}')?;
            }
        }
    }
    lexer.skip_white_space();
    lexer.0.as_str().is_empty().then_some(())
}

/// What is still to be read.
struct Lexer<'a>(Chars<'a>);

impl<'a> Lexer<'a> {
    /// Any value: the text of a string or a number, nothing of another.
    fn value(&mut self) -> Option<Option<Text<'a>>> {
        let mut open = Open::default();
        loop {
            let is_object = self.takes('{');
            if is_object || self.takes('[') {
                open.push(is_object)?;
                if !self.takes(open.end()) {
                    if is_object {
                        self.key()?;
                    }
                    continue;
                }
                open.pop();
            } else {
                let scalar = self.scalar()?;
                if open.depth == 0 {
                    return Some(scalar);
                }
            }
            // A value is over, and perhaps those that it lies in.
            loop {
                if open.depth == 0 {
                    return Some(None);
                }
                if self.takes(',') {
                    if open.is_object() {
                        self.key()?;
                    }
                    break;
                }
                self.expect(open.end())?;
                open.pop();
            }
        }
    }

    fn scalar(&mut self) -> Option<Option<Text<'a>>> {
        self.skip_white_space();
        let begin = self.0.clone();
        match self.0.next()? {
            '"' => self.string().map(Some),
            't' => self.rest_of_word("rue").map(|()| None),
            'f' => self.rest_of_word("alse").map(|()| None),
            'n' => self.rest_of_word("ull").map(|()| None),
            _ => {
                self.0 = begin;
                self.number().map(Some)
            }
        }
    }

    /// A key with its colon.
    fn key(&mut self) -> Option<Text<'a>> {
        self.expect('"')?;
        let key = self.string()?;
        self.expect(':')?;
        Some(key)
    }

    /// A string behind its first quotation mark.
    fn string(&mut self) -> Option<Text<'a>> {
        let begin = self.0.as_str();
        loop {
            let here = self.0.as_str();
            match self.0.next()? {
                '"' => return between(begin, here),
                '\\' => {
                    escape(&mut self.0)?;
                }
                '\0'..='\x1f' => return None,
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<Text<'a>> {
        let begin = self.0.as_str();
        self.next_is(|c| c == '-');
        if !self.next_is(|c| c == '0') {
            self.digits()?;
        }
        if self.next_is(|c| c == '.') {
            self.digits()?;
        }
        if self.next_is(|c| matches!(c, 'e' | 'E')) {
            self.next_is(|c| matches!(c, '+' | '-'));
            self.digits()?;
        }
        between(begin, self.0.as_str())
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let is_digit = |c: char| c.is_ascii_digit();
        let found = self.next_is(is_digit);
        while self.next_is(is_digit) {}
        found.then_some(())
    }

    fn rest_of_word(&mut self, word: &str) -> Option<()> {
        word.chars().all(|c| self.next_is(|next| next == c)).then_some(())
    }

    /// White space, and then this, or else a fault.
    fn expect(&mut self, c: char) -> Option<()> {
        self.takes(c).then_some(())
    }

    /// White space, and then this, if it is there.
    fn takes(&mut self, c: char) -> bool {
        self.skip_white_space();
        self.next_is(|next| next == c)
    }

    fn skip_white_space(&mut self) {
        while self.next_is(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {}
    }

    /// Reads a character if it is such a one.
    fn next_is(&mut self, such: impl Fn(char) -> bool) -> bool {
        let mut rest = self.0.clone();
        let found = rest.next().is_some_and(such);
        if found {
            self.0 = rest;
        }
        found
    }
}

/// The arrays and objects that are open: a bit for each, the innermost last, set for objects.
#[derive(Default)]
struct Open {
    objects: u32,
    depth: u32,
}

impl Open {
    fn push(&mut self, is_object: bool) -> Option<()> {
        self.objects = self.objects << 1 | u32::from(is_object);
        self.depth = self.depth.wrapping_add(1);
        (self.depth <= MAX_DEPTH).then_some(())
    }

    fn pop(&mut self) {
        self.objects >>= 1;
        self.depth = self.depth.wrapping_sub(1);
    }

    fn is_object(&self) -> bool {
        self.objects & 1 != 0
    }

    fn end(&self) -> char {
        if self.is_object() { '}' } else { ']' }
    }
}

/// What lies between the beginnings of two ends of the same text.
fn between<'a>(begin: &'a str, end: &str) -> Option<Text<'a>> {
    begin.get(..begin.len().checked_sub(end.len())?).map(|text| Text(text.chars()))
}

/// An escape behind its backslash. One half of a pair of surrogates is no character.
fn escape(chars: &mut Chars<'_>) -> Option<char> {
    Some(match chars.next()? {
        c @ ('"' | '\\' | '/') => c,
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let code = four_digits(chars)?;
            if code & 0xfc00 != 0xd800 {
                return char::from_u32(code);
            }
            let follows = chars.next()? == '\\' && chars.next()? == 'u';
            let low = four_digits(chars)?;
            if !follows || low & 0xfc00 != 0xdc00 {
                return None;
            }
            char::from_u32(0x1_0000_u32.wrapping_add((code & 0x3ff) << 10 | low & 0x3ff))?
        }
        _ => return None,
    })
}

fn four_digits(chars: &mut Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |number, _| Some(number << 4 | chars.next()?.to_digit(16)?))
}

// A small parser: text, slices, Result and Option, a stack of enums; aborts
// inside an expression.

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Word(String),
    Open,
    Close,
    Operator(char),
}

#[derive(Debug)]
enum Problem {
    Empty,
    Unexpected { at: usize, found: char },
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    #[inline(never)]
    fn run(&mut self, limit: usize) -> Result<usize, Problem> {
        if self.text.is_empty() {
            return Err(Problem::Empty);
        }
        while let Some(c) = self.rest().chars().next() {
            let start = self.at;
            let token = match c {
                '0'..='9' => Token::Number(self.number()),
                'a'..='z' => Token::Word(self.word()),
                '(' => Token::Open,
                ')' => Token::Close,
                '+' | '*' => Token::Operator(c),
                _ => return Err(Problem::Unexpected { at: start, found: c }),
            };
            if self.at == start {
                self.at += c.len_utf8();
            }
            self.tokens.push(token);
            if self.tokens.len() > limit {
                let deep = nesting(&self.tokens, limit as i32);
                opaque((start, c, deep));
            }
        }
        Ok(self.tokens.len())
    }

    fn number(&mut self) -> f64 {
        let mut value = 0.0;
        while let Some(digit) = self.rest().chars().next()
            .and_then(|c| c.to_digit(10)) {
            value = value * 10.0 + f64::from(digit);
            self.at += 1;
        }
        value
    }

    fn word(&mut self) -> String {
        let word: String = self.rest().chars()
            .take_while(char::is_ascii_lowercase).collect();
        self.at += word.len();
        word
    }
}

#[inline(never)]
fn nesting(tokens: &[Token], allowed: i32) -> i32 {
    let mut depth = 0;
    let mut deepest = 0;
    let last = tokens.last();
    for token in tokens {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth -= 1,
            _ => (),
        }
        deepest = deepest.max(depth);
    }
    if deepest < allowed {
        let numbers = tokens.iter()
            .filter(|t| matches!(t, Token::Number(_))).count();
        opaque((numbers, deepest));
        refuse(last, deepest, numbers);
    }
    opaque(last);
    deepest
}

#[inline(never)]
fn refuse(last: Option<&Token>, deepest: i32, numbers: usize) {
    let known = last.is_some();
    let reason = [deepest, numbers as i32, i32::from(known)];
    if opaque(&reason)[0] >= 0 {
        std::process::abort();
    }
    opaque((last, known));
}

/// The same value; the compiler does not see through.
fn opaque<T>(value: T) -> T {
    let copy = unsafe { std::ptr::read_volatile(&value) };
    std::mem::forget(value);
    copy
}

fn main() {
    let text = String::from("(12+ab)*(3+((c)))");
    let mut parser = Parser { text: &text, at: 0, tokens: Vec::new() };
    let limit = std::env::args().count() + 4;
    let count = parser.run(limit);
    println!("{count:?} of {limit}, {} left", parser.rest().len());
}

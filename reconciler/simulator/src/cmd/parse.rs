//! One logical line as a tree.

/// A command, or several.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Empty,
    /// Text whose first word is the command.
    Simple {
        text: String,
        redirects: Vec<Redirect>,
    },
    Block {
        body: Box<Self>,
        redirects: Vec<Redirect>,
    },
    If {
        condition: Condition,
        then: Box<Self>,
        otherwise: Option<Box<Self>>,
    },
    For {
        header: ForHeader,
        body: Box<Self>,
    },
    /// `a & b`.
    Sequence(Vec<Self>),
    /// `a && b`.
    And(Box<Self>, Box<Self>),
    /// `a || b`.
    Or(Box<Self>, Box<Self>),
    /// `a | b`.
    Pipe(Box<Self>, Box<Self>),
}

/// `2>file`, `>>file`, `2>&1`, `<file`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Redirect {
    pub(super) handle: u32,
    pub(super) target: Target,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    Write(String),
    Append(String),
    Read(String),
    Handle(u32),
}

/// What stands between `if` and its command; variables of loops are not yet substituted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) negated: bool,
    pub(super) ignore_case: bool,
    pub(super) test: Test,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Exist(String),
    Defined(String),
    ErrorLevel(String),
    Compare { left: String, operator: Operator, right: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Same,
    Equ,
    Neq,
    Lss,
    Leq,
    Gtr,
    Geq,
}

/// `for /f "options" %v in (set) do`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ForHeader {
    pub(super) kind: ForKind,
    pub(super) variable: char,
    pub(super) set: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ForKind {
    Words,
    Folders,
    Numbers,
    File { options: String },
}

/// Why a line is not a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ParseError {
    /// A parenthesis is open: the next line belongs to this one.
    Unfinished,
    Syntax(String),
}

/// How deep commands may be nested.
const MAX_DEPTH: usize = 64;

/// Reads a line that was percent-expanded.
pub(super) fn parse(line: &str) -> Result<Node, ParseError> {
    let mut parser = Parser { text: line.chars().collect(), at: 0, depth: 0 };
    let node = parser.sequence(0)?;
    parser.skip_blanks();
    match parser.peek() {
        None => Ok(node),
        Some(found) => Err(ParseError::Syntax(found.to_string())),
    }
}

struct Parser {
    text: Vec<char>,
    at: usize,
    /// How many parentheses are open.
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn looking_at(&self, wanted: &str) -> bool {
        let mut at = self.at;
        wanted.chars().all(|c| {
            let same = self.text.get(at) == Some(&c);
            at += 1;
            same
        })
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }

    /// Blanks and the separators that cmd treats as blanks.
    fn skip_separators(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | ',' | ';' | '=')) {
            self.at += 1;
        }
    }

    fn word_is(&self, wanted: &str) -> bool {
        let end = self.at + wanted.chars().count();
        let word: String = self.text.get(self.at..end).unwrap_or_default().iter().collect();
        word.eq_ignore_ascii_case(wanted)
            && self.text.get(end).is_none_or(|c| matches!(c, ' ' | '\t' | ',' | ';' | '=' | '(' | '/' | '\n'))
    }

    /// `a & b`, and lines inside a block.
    fn sequence(&mut self, level: usize) -> Result<Node, ParseError> {
        if level > MAX_DEPTH {
            return Err(ParseError::Syntax("too deeply nested".to_owned()));
        }
        let mut nodes = Vec::new();
        loop {
            while matches!(self.peek(), Some(' ' | '\t' | '\n')) {
                self.at += 1;
            }
            if self.peek().is_none() || (self.depth > 0 && self.peek() == Some(')')) {
                break;
            }
            nodes.push(self.alternatives(level)?);
            self.skip_blanks();
            match self.peek() {
                Some('&' | '\n') => self.at += 1,
                _ => break,
            }
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.remove(0),
            _ => Node::Sequence(nodes),
        })
    }

    /// `a || b`.
    fn alternatives(&mut self, level: usize) -> Result<Node, ParseError> {
        let mut left = self.conjunction(level)?;
        loop {
            self.skip_blanks();
            if !self.looking_at("||") {
                return Ok(left);
            }
            self.at += 2;
            left = Node::Or(Box::new(left), Box::new(self.conjunction(level)?));
        }
    }

    /// `a && b`.
    fn conjunction(&mut self, level: usize) -> Result<Node, ParseError> {
        let mut left = self.pipeline(level)?;
        loop {
            self.skip_blanks();
            if !self.looking_at("&&") {
                return Ok(left);
            }
            self.at += 2;
            left = Node::And(Box::new(left), Box::new(self.pipeline(level)?));
        }
    }

    /// `a | b`.
    fn pipeline(&mut self, level: usize) -> Result<Node, ParseError> {
        let mut left = self.command(level)?;
        loop {
            self.skip_blanks();
            if self.peek() != Some('|') || self.looking_at("||") {
                return Ok(left);
            }
            self.at += 1;
            left = Node::Pipe(Box::new(left), Box::new(self.command(level)?));
        }
    }

    fn command(&mut self, level: usize) -> Result<Node, ParseError> {
        self.skip_separators();
        while self.peek() == Some('@') {
            self.at += 1;
            self.skip_separators();
        }
        let mut redirects = Vec::new();
        while let Some(redirect) = self.redirect()? {
            redirects.push(redirect);
            self.skip_separators();
        }
        if self.peek() == Some('(') {
            return self.block(redirects, level);
        }
        if self.word_is("rem") {
            // Nothing on the line means anything any more.
            while self.peek().is_some_and(|c| c != '\n') {
                self.at += 1;
            }
            return Ok(Node::Empty);
        }
        if self.word_is("if") {
            self.at += 2;
            return self.conditional(level);
        }
        if self.word_is("for") {
            self.at += 3;
            return self.repeated(level);
        }
        self.simple(redirects)
    }

    fn block(&mut self, mut redirects: Vec<Redirect>, level: usize) -> Result<Node, ParseError> {
        self.at += 1;
        self.depth += 1;
        let body = self.sequence(level + 1)?;
        while matches!(self.peek(), Some(' ' | '\t' | '\n')) {
            self.at += 1;
        }
        match self.peek() {
            Some(')') => self.at += 1,
            None => return Err(ParseError::Unfinished),
            Some(found) => return Err(ParseError::Syntax(found.to_string())),
        }
        self.depth -= 1;
        self.skip_blanks();
        while let Some(redirect) = self.redirect()? {
            redirects.push(redirect);
            self.skip_blanks();
        }
        Ok(Node::Block { body: Box::new(body), redirects })
    }

    /// What follows a condition or `do`: a block by itself, or all the rest of the line.
    fn body(&mut self, level: usize) -> Result<Node, ParseError> {
        self.skip_separators();
        if self.peek() == Some('(') {
            return self.alternatives(level + 1);
        }
        let node = self.rest_of_line(level + 1)?;
        if node == Node::Empty { Err(ParseError::Syntax("the end of the line".to_owned())) } else { Ok(node) }
    }

    fn rest_of_line(&mut self, level: usize) -> Result<Node, ParseError> {
        if level > MAX_DEPTH {
            return Err(ParseError::Syntax("too deeply nested".to_owned()));
        }
        let mut nodes = vec![self.alternatives(level)?];
        loop {
            self.skip_blanks();
            if self.peek() != Some('&') {
                break;
            }
            self.at += 1;
            nodes.push(self.alternatives(level)?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Sequence(nodes) })
    }

    fn conditional(&mut self, level: usize) -> Result<Node, ParseError> {
        let (mut negated, mut ignore_case) = (false, false);
        loop {
            self.skip_separators();
            if self.word_is("/i") {
                ignore_case = true;
                self.at += 2;
            } else if self.word_is("not") {
                negated = !negated;
                self.at += 3;
            } else {
                break;
            }
        }
        let test = if self.word_is("exist") {
            self.at += 5;
            Test::Exist(self.operand())
        } else if self.word_is("defined") {
            self.at += 7;
            Test::Defined(self.operand())
        } else if self.word_is("errorlevel") {
            self.at += 10;
            Test::ErrorLevel(self.operand())
        } else {
            let left = self.operand();
            self.skip_blanks();
            let operator = self.operator()?;
            Test::Compare { left, operator, right: self.operand() }
        };
        let then = self.body(level)?;
        let mark = self.at;
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
        let otherwise = if matches!(then, Node::Block { .. }) && self.word_is("else") {
            self.at += 4;
            Some(Box::new(self.body(level)?))
        } else {
            self.at = mark;
            None
        };
        let condition = Condition { negated, ignore_case, test };
        Ok(Node::If { condition, then: Box::new(then), otherwise })
    }

    fn operator(&mut self) -> Result<Operator, ParseError> {
        if self.looking_at("==") {
            self.at += 2;
            return Ok(Operator::Same);
        }
        let words = [
            ("equ", Operator::Equ),
            ("neq", Operator::Neq),
            ("lss", Operator::Lss),
            ("leq", Operator::Leq),
            ("gtr", Operator::Gtr),
            ("geq", Operator::Geq),
        ];
        match words.into_iter().find(|(word, _)| self.word_is(word)) {
            Some((word, operator)) => {
                self.at += word.len();
                Ok(operator)
            }
            None => Err(ParseError::Syntax(self.operand())),
        }
    }

    /// One word, with its quotes; ends at a blank, a separator or an operator outside quotes.
    fn operand(&mut self) -> String {
        self.skip_separators();
        let mut word = String::new();
        let mut quoted = false;
        while let Some(c) = self.peek() {
            match c {
                '"' => quoted = !quoted,
                '^' if !quoted => {
                    self.at += 1;
                    word.extend(self.peek());
                    self.at += 1;
                    continue;
                }
                ' ' | '\t' | ',' | ';' | '=' | '<' | '>' | '&' | '|' | '\n' if !quoted => break,
                ')' if !quoted && self.depth > 0 => break,
                '\n' => break,
                _ => {}
            }
            word.push(c);
            self.at += 1;
        }
        word
    }

    fn repeated(&mut self, level: usize) -> Result<Node, ParseError> {
        let mut kind = ForKind::Words;
        loop {
            self.skip_separators();
            if self.word_is("/f") {
                self.at += 2;
                self.skip_separators();
                let options = if self.peek() == Some('%') { String::new() } else { self.operand() };
                kind = ForKind::File { options: options.trim_matches('"').to_owned() };
            } else if self.word_is("/l") {
                self.at += 2;
                kind = ForKind::Numbers;
            } else if self.word_is("/d") {
                self.at += 2;
                kind = ForKind::Folders;
            } else {
                break;
            }
        }
        let word = self.operand();
        let variable = match word.strip_prefix('%').map(|name| name.chars().collect::<Vec<_>>()) {
            Some(name) if name.len() == 1 => name[0],
            _ => return Err(ParseError::Syntax(word)),
        };
        self.skip_separators();
        if !self.word_is("in") {
            return Err(ParseError::Syntax(self.operand()));
        }
        self.at += 2;
        self.skip_separators();
        if self.peek() != Some('(') {
            return Err(ParseError::Syntax(self.operand()));
        }
        self.at += 1;
        let set = self.set()?;
        self.skip_separators();
        if !self.word_is("do") {
            return Err(ParseError::Syntax(self.operand()));
        }
        self.at += 2;
        let body = self.body(level)?;
        Ok(Node::For { header: ForHeader { kind, variable, set }, body: Box::new(body) })
    }

    fn set(&mut self) -> Result<String, ParseError> {
        let mut set = String::new();
        let mut quoted = false;
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                '"' => quoted = !quoted,
                ')' if !quoted => return Ok(set.trim().to_owned()),
                '\n' => {
                    set.push(' ');
                    continue;
                }
                '^' if !quoted => {
                    set.extend(self.peek());
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            set.push(c);
        }
        Err(ParseError::Unfinished)
    }

    fn simple(&mut self, mut redirects: Vec<Redirect>) -> Result<Node, ParseError> {
        let mut text = String::new();
        let mut quoted = false;
        while let Some(c) = self.peek() {
            if !quoted {
                if matches!(c, '&' | '|' | '\n') || (c == ')' && self.depth > 0) {
                    break;
                }
                // A digit is a handle only where a word could begin.
                let fresh = text.chars().last().is_none_or(|c| matches!(c, ' ' | '\t' | ',' | ';' | '='));
                if (matches!(c, '<' | '>') || (fresh && c.is_ascii_digit()))
                    && let Some(redirect) = self.redirect()?
                {
                    redirects.push(redirect);
                    continue;
                }
                if c == '^' {
                    self.at += 1;
                    text.extend(self.peek());
                    self.at += 1;
                    continue;
                }
            }
            match c {
                '"' => quoted = !quoted,
                '\n' => break,
                _ => {}
            }
            text.push(c);
            self.at += 1;
        }
        if text.trim().is_empty() && redirects.is_empty() {
            return match self.peek() {
                Some(found) if found != '\n' => Err(ParseError::Syntax(found.to_string())),
                _ => Ok(Node::Empty),
            };
        }
        Ok(Node::Simple { text, redirects })
    }

    /// A redirection at this place, if there is one.
    fn redirect(&mut self) -> Result<Option<Redirect>, ParseError> {
        let mut at = self.at;
        let digit = self.text.get(at).and_then(|c| c.to_digit(10));
        if digit.is_some() {
            at += 1;
        }
        let kind = match self.text.get(at) {
            Some('>') if self.text.get(at + 1) == Some(&'>') => ">>",
            Some('>') => ">",
            Some('<') => "<",
            _ => return Ok(None),
        };
        self.at = at + kind.len();
        let handle = digit.unwrap_or(u32::from(kind != "<"));
        if self.peek() == Some('&') {
            self.at += 1;
            let other = self.peek().and_then(|c| c.to_digit(10));
            self.at += 1;
            return match other {
                Some(other) => Ok(Some(Redirect { handle, target: Target::Handle(other) })),
                None => Err(ParseError::Syntax("&".to_owned())),
            };
        }
        let name = self.operand();
        if name.is_empty() {
            return Err(ParseError::Syntax(kind.to_owned()));
        }
        let name = name.replace('"', "");
        let target = match kind {
            ">>" => Target::Append(name),
            ">" => Target::Write(name),
            _ => Target::Read(name),
        };
        Ok(Some(Redirect { handle, target }))
    }
}

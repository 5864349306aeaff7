//! A small strict mail server (RFC 5321): commands in their order, lines that end in CRLF, seven bits. What it does at each
//! step is the test's to decide.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// Where a conversation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// RCPT was said.
    Recipient,
    /// The mail is here to its end, nothing is answered yet.
    Received,
    /// The mail was taken.
    Answered,
}

/// What the server does at a step of its nth mail, counted from 1.
pub(crate) type Hook = Box<dyn FnMut(Step, usize) -> Act + Send>;

/// What it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    /// Goes on.
    On,
    /// Says this instead.
    Say(&'static str),
    /// Closes without a word.
    HangUp,
}

/// Mails that were received to their end, whether answered or not.
#[derive(Default)]
struct Kept {
    mails: Mutex<Vec<String>>,
    more: Condvar,
}

/// The server; it lives as long as the test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    kept: Arc<Kept>,
}

impl Server {
    pub(crate) fn start(hook: Hook) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::new(Kept::default());
        let (hook, shared) = (Arc::new(Mutex::new(hook)), Arc::clone(&kept));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (hook, kept) = (Arc::clone(&hook), Arc::clone(&shared));
                // A client that was killed leaves in the middle of a line.
                thread::spawn(move || drop(converse(&stream.unwrap(), &hook, &kept)));
            }
        });
        Self { address, kept }
    }

    pub(crate) fn mails(&self) -> Vec<String> {
        self.kept.mails.lock().unwrap().clone()
    }

    /// Waits until so many mails are here.
    pub(crate) fn wait(&self, count: usize) -> Vec<String> {
        let (mails, waited) = self
            .kept
            .more
            .wait_timeout_while(self.kept.mails.lock().unwrap(), Duration::from_secs(90), |mails| mails.len() < count)
            .unwrap();
        assert!(!waited.timed_out(), "{} mails, not {count}:\n{}", mails.len(), mails.join("\n====\n"));
        mails.clone()
    }
}

fn converse(stream: &TcpStream, hook: &Mutex<Hook>, kept: &Kept) -> std::io::Result<()> {
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone()?), stream.try_clone()?);
    let mut say = |line: &str| writer.write_all(format!("{line}\r\n").as_bytes());
    say("220 strict.example.org ESMTP")?;
    let mut stage = 0;
    while let Some(line) = read_line(&mut reader)? {
        let verb = line.split(' ').next().unwrap().to_ascii_uppercase();
        match (verb.as_str(), stage) {
            ("EHLO", _) => {
                say("250-strict.example.org")?;
                say("250 SIZE 10000000")?;
                stage = 1;
            }
            ("MAIL", 1) if line.starts_with("MAIL FROM:<") => {
                say("250 ok")?;
                stage = 2;
            }
            ("RCPT", 2 | 3) if line.starts_with("RCPT TO:<") => {
                let count = kept.mails.lock().unwrap().len() + 1;
                match (hook.lock().unwrap())(Step::Recipient, count) {
                    Act::On => say("250 ok")?,
                    Act::Say(other) => {
                        say(other)?;
                        continue;
                    }
                    Act::HangUp => return Ok(()),
                }
                stage = 3;
            }
            ("DATA", 3) => {
                say("354 go on")?;
                let mail = read_mail(&mut reader)?;
                let mut mails = kept.mails.lock().unwrap();
                mails.push(mail);
                let count = mails.len();
                drop(mails);
                kept.more.notify_all();
                match (hook.lock().unwrap())(Step::Received, count) {
                    Act::On => say("250 taken")?,
                    Act::Say(other) => say(other)?,
                    Act::HangUp => return Ok(()),
                }
                stage = 1;
                (hook.lock().unwrap())(Step::Answered, count);
            }
            ("QUIT", _) => {
                say("221 bye")?;
                return Ok(());
            }
            _ => say("503 not now")?,
        }
    }
    Ok(())
}

fn read_line(reader: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    assert!(line.ends_with(b"\r\n"), "a line without CRLF: {:?}", String::from_utf8_lossy(&line));
    assert!(line.len() <= 1000, "a line of {} octets", line.len());
    assert!(line.is_ascii(), "eight bits without 8BITMIME: {:?}", String::from_utf8_lossy(&line));
    line.truncate(line.len() - 2);
    Ok(Some(String::from_utf8(line).unwrap()))
}

fn read_mail(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut mail = String::new();
    loop {
        match read_line(reader)? {
            Some(line) if line == "." => return Ok(mail),
            Some(line) => {
                mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                mail.push('\n');
            }
            None => return Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// A header of a mail, unfolded.
pub(crate) fn header(mail: &str, name: &str) -> Option<String> {
    let head = mail.split("\n\n").next().unwrap().replace("\n ", " ");
    head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
}

//! Which names and ports belong to which class, in quick form.

use std::collections::HashMap;

use super::Class;
use crate::config::classes::{self, ClassList, Entry};

/// Names and ports with their classes. Of a name in two lists the later counts.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    names: HashMap<Box<str>, Class>,
    tcp: HashMap<u16, Class>,
    udp: HashMap<u16, Class>,
}

impl Lists {
    /// The lists as they are shipped.
    pub fn shipped() -> Self {
        Self::new(&classes::shipped())
    }

    /// Lists as they were read; a class that there is none of is left out.
    pub fn new(lists: &[ClassList]) -> Self {
        let mut all = Self::default();
        for list in lists {
            let Some(class) = Class::from_word(list.class) else { continue };
            for entry in &list.entries {
                all.add(class, entry);
            }
        }
        all
    }

    /// The class of a name, by its longest ending that is listed. The name is in lower case.
    pub fn of_name(&self, name: &str) -> Option<Class> {
        let mut rest = name;
        loop {
            if let Some(class) = self.names.get(rest) {
                return Some(*class);
            }
            (_, rest) = rest.split_once('.')?;
        }
    }

    /// The class of a server's port.
    pub fn of_port(&self, is_tcp: bool, port: u16) -> Option<Class> {
        if is_tcp { self.tcp.get(&port).copied() } else { self.udp.get(&port).copied() }
    }

    fn add(&mut self, class: Class, entry: &Entry) {
        match entry {
            Entry::Name(name) => {
                self.names.insert(name.clone(), class);
            }
            Entry::Ports { first, last, tcp, udp } => {
                let ports = *first..=*last;
                if *tcp {
                    self.tcp.extend(ports.clone().map(|port| (port, class)));
                }
                if *udp {
                    self.udp.extend(ports.map(|port| (port, class)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_ending_counts() {
        let lists = Lists::shipped();
        for (name, class) in [
            ("v.qq.com", Some(Class::Film)),
            ("vod.v.qq.com", Some(Class::Film)),
            ("mail.qq.com", Some(Class::Mail)),
            ("qq.com", None),
            ("mirrors.tuna.tsinghua.edu.cn", Some(Class::Update)),
            ("www.tsinghua.edu.cn", Some(Class::Web)),
            ("notnetflix.com", None),
            ("", None),
        ] {
            assert_eq!(lists.of_name(name), class, "{name}");
        }
        assert_eq!(lists.of_port(true, 443), Some(Class::Web));
        assert_eq!((lists.of_port(false, 6889), lists.of_port(false, 993)), (Some(Class::P2p), None));
    }

    #[test]
    fn every_shipped_list_has_its_class() {
        for (word, _) in classes::SHIPPED {
            assert_eq!(Class::from_word(word).map(Class::word), Some(word));
        }
        assert_eq!(classes::SHIPPED.len() + 1, Class::ALL.len(), "all but `other`");
    }

    #[test]
    fn a_list_of_ones_own_stands_for_itself() {
        let (entries, _) = classes::entries("film.example.cn\nport 8554/tcp");
        let lists = Lists::new(&[ClassList { class: "film", entries }]);
        assert_eq!(lists.of_name("a.film.example.cn"), Some(Class::Film));
        assert_eq!((lists.of_port(true, 8554), lists.of_port(false, 8554)), (Some(Class::Film), None));
        assert_eq!(lists.of_name("v.qq.com"), None);
    }
}

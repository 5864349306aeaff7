//! From a request to its answer, as RFC 3416 has it: GET, GETNEXT, GETBULK cut at the largest answer, v1 errors, SET refused.

use netroom::snmp::message::{Message, PduKind, Version, status};
use netroom::snmp::oid::{Oid, OidRef};
use netroom::snmp::value::{END_OF_MIB_VIEW, NO_SUCH_INSTANCE};

use super::rows::{self, Cell, Moment};

/// The farm's community.
pub(crate) const COMMUNITY: &[u8] = b"public";
/// Octets of the tag and length of a sequence in the form used here: `82` and two octets.
const HEAD: usize = 4;

/// How a device answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    /// The largest answer in octets.
    pub(crate) max_response: usize,
    /// More names than this give tooBig.
    pub(crate) varbind_limit: usize,
    /// Whether walks never leave a column.
    pub(crate) looping: bool,
    /// What is added to the request-id.
    pub(crate) id_step: i32,
}

/// A message being written.
struct Draft<'o> {
    out: &'o mut Vec<u8>,
    pdu: usize,
    list: usize,
    limit: usize,
}

/// Writes the answer; false where a device stays silent.
pub(crate) fn answer(datagram: &[u8], mib2: &Oid, manners: &Manners, moment: &Moment, out: &mut Vec<u8>) -> bool {
    let Ok(request) = Message::decode(datagram) else { return false };
    if request.community != COMMUNITY {
        return false;
    }
    let mut draft = Draft::begin(&request, manners, out);
    let result = match request.pdu.kind {
        PduKind::Get | PduKind::GetNext | PduKind::GetBulk if request.pdu.varbinds.count() > manners.varbind_limit => {
            Err((status::TOO_BIG, 0))
        }
        PduKind::Get | PduKind::GetNext => one_each(&request, mib2, manners, moment, &mut draft),
        PduKind::GetBulk if request.version == Version::V2c => bulk(&request, mib2, manners, moment, &mut draft),
        PduKind::Set if request.version == Version::V2c => Err((status::NOT_WRITABLE, 1)),
        PduKind::Set => Err((status::NO_SUCH_NAME, 1)),
        _ => return false,
    };
    draft.end(&request, result);
    true
}

impl<'o> Draft<'o> {
    fn begin(request: &Message<'_>, manners: &Manners, out: &'o mut Vec<u8>) -> Self {
        let version = if request.version == Version::V1 { 0 } else { 1 };
        out.clear();
        out.extend_from_slice(&[0x30, 0x82, 0, 0, 2, 1, version, 4, COMMUNITY.len() as u8]);
        out.extend_from_slice(COMMUNITY);
        let pdu = out.len();
        out.extend_from_slice(&[PduKind::Response as u8, 0x82, 0, 0, 2, 4]);
        out.extend_from_slice(&request.pdu.request_id.wrapping_add(manners.id_step).to_be_bytes());
        out.extend_from_slice(&[2, 1, 0, 2, 1, 0]);
        let list = out.len();
        out.extend_from_slice(&[0x30, 0x82, 0, 0]);
        Self { out, pdu, list, limit: manners.max_response }
    }

    /// Whether the varbind still had room; without room it is not there.
    fn push(&mut self, cell: Cell, moment: &Moment) -> bool {
        let before = self.out.len();
        rows::write(cell, moment, self.out);
        self.keep(before)
    }

    /// A varbind that says that a column has ended behind this cell.
    fn push_end(&mut self, last: Cell) -> bool {
        let before = self.out.len();
        rows::write_end(last, self.out);
        self.keep(before)
    }

    /// A varbind that says why there is no value.
    fn push_exception(&mut self, name: OidRef<'_>, tag: u8) -> bool {
        let before = self.out.len();
        let octets = name.octets();
        // Names with more than 100 octets are not in any table that is asked of the farm.
        let length = octets.len().min(100);
        self.out.extend_from_slice(&[0x30, 4 + length as u8, 6, length as u8]);
        self.out.extend_from_slice(&octets[..length]);
        self.out.extend_from_slice(&[tag, 0]);
        self.keep(before)
    }

    fn keep(&mut self, before: usize) -> bool {
        let fits = self.out.len() <= self.limit;
        if !fits {
            self.out.truncate(before);
        }
        fits
    }

    fn end(self, request: &Message<'_>, result: Result<(), (i64, u8)>) {
        if let Err((error, index)) = result {
            self.out.truncate(self.list + HEAD);
            if request.version == Version::V1 || error != status::TOO_BIG {
                self.out.extend_from_slice(request.pdu.varbinds.octets());
            }
            self.out[self.list - 4] = error as u8;
            self.out[self.list - 1] = index;
        }
        for start in [self.list, self.pdu, 0] {
            let length = (self.out.len() - start - HEAD) as u16;
            self.out[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
        }
    }
}

fn next(name: OidRef<'_>, mib2: &Oid, manners: &Manners, ports: u32) -> Option<Cell> {
    if manners.looping {
        match rows::exact(name, mib2, ports) {
            Some(Cell::If(column, port)) if port == ports => return Some(Cell::If(column, 1)),
            Some(Cell::X(column, port)) if port == ports => return Some(Cell::X(column, 1)),
            _ => {}
        }
    }
    rows::next(name, mib2, ports)
}

fn one_each(request: &Message<'_>, mib2: &Oid, manners: &Manners, moment: &Moment, draft: &mut Draft<'_>) -> Result<(), (i64, u8)> {
    let v1 = request.version == Version::V1;
    for (position, item) in (1_u8..).zip(request.pdu.varbinds) {
        let Ok((name, _)) = item else { return Err((status::GEN_ERR, position)) };
        let (found, tag) = if request.pdu.kind == PduKind::Get {
            (rows::exact(name, mib2, moment.ports), NO_SUCH_INSTANCE)
        } else {
            (next(name, mib2, manners, moment.ports), END_OF_MIB_VIEW)
        };
        // v1 knows no Counter64: GET does not find it, a walk steps over it.
        let fits = match found {
            Some(Cell::X(6..=13, _)) if v1 && request.pdu.kind == PduKind::GetNext => draft.push(Cell::X(14, 1), moment),
            Some(Cell::X(6..=13, _)) | None if v1 => return Err((status::NO_SUCH_NAME, position)),
            Some(cell) => draft.push(cell, moment),
            None => draft.push_exception(name, tag),
        };
        if !fits {
            return Err((status::TOO_BIG, 0));
        }
    }
    Ok(())
}

/// Where a name of a GETBULK has come to.
#[derive(Clone, Copy)]
enum Column<'a> {
    /// Not begun.
    Name(OidRef<'a>),
    /// At this cell.
    At(Cell),
    /// Behind this one, the last.
    End(Cell),
}

fn bulk(request: &Message<'_>, mib2: &Oid, manners: &Manners, moment: &Moment, draft: &mut Draft<'_>) -> Result<(), (i64, u8)> {
    const COLUMNS: usize = 128;
    let mut places = [None; COLUMNS];
    let mut names = 0;
    for (place, item) in places.iter_mut().zip(request.pdu.varbinds) {
        let Ok((name, _)) = item else { return Err((status::GEN_ERR, 1)) };
        *place = Some(Column::Name(name));
        names += 1;
    }
    let single = usize::try_from(request.pdu.error_status).unwrap_or(0).min(names);
    let mut step = |place: &mut Option<Column<'_>>| {
        let (found, last) = match *place {
            None => return (false, true),
            Some(Column::Name(name)) => match next(name, mib2, manners, moment.ports) {
                // A name behind everything: it stays.
                None => return (draft.push_exception(name, END_OF_MIB_VIEW), true),
                Some(cell) => (Some(cell), cell),
            },
            Some(Column::At(cell)) => (after(cell, manners, moment.ports), cell),
            Some(Column::End(cell)) => (None, cell),
        };
        *place = Some(found.map_or(Column::End(last), Column::At));
        match found {
            Some(cell) => (draft.push(cell, moment), false),
            None => (draft.push_end(last), true),
        }
    };
    if !places[..single].iter_mut().all(|place| step(place).0) {
        return Ok(());
    }
    for _ in 0..request.pdu.error_index.max(0) {
        let mut ended = single;
        for place in &mut places[single..names] {
            let (fits, end) = step(place);
            if !fits {
                return Ok(());
            }
            ended += usize::from(end);
        }
        if ended == names {
            break;
        }
    }
    Ok(())
}

/// The cell behind a cell.
fn after(cell: Cell, manners: &Manners, ports: u32) -> Option<Cell> {
    let turn = |column: u32, port: u32| match (port < ports, manners.looping) {
        (true, _) => (column, port + 1),
        (false, true) => (column, 1),
        (false, false) => (column + 1, 1),
    };
    match cell {
        Cell::System(7) => Some(Cell::IfNumber),
        Cell::System(object) => Some(Cell::System(object + 1)),
        Cell::IfNumber => Some(Cell::If(1, 1)),
        Cell::If(column, port) => match turn(column, port) {
            (23.., _) => Some(Cell::X(1, 1)),
            (column, port) => Some(Cell::If(column, port)),
        },
        Cell::X(column, port) => match turn(column, port) {
            (20.., _) => None,
            (column, port) => Some(Cell::X(column, port)),
        },
    }
}

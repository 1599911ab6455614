:work
rem A package, given to the Taskbar Utility: a copy, since the product deletes what it installed.
set "STAGED=%ROOT%\packages\{sha256}\{file}"
set "PACKAGE=%JOB%\{file}"
set "UTILITY={utility}"
set "REASON=copy"
copy /b /y "%STAGED%" "%PACKAGE%" >"%JOB%\output.log"
if errorlevel 1 goto refuse
set "REASON=hash"
certutil -hashfile "%PACKAGE%" SHA256 >"%JOB%\hash.txt"
if errorlevel 1 goto refuse
set "HASH="
for /f "usebackq skip=1 delims=" %%h in ("%JOB%\hash.txt") do if not defined HASH set "HASH=%%h"
if not defined HASH goto refuse
set "HASH=%HASH: =%"
if /i not "%HASH%"=="{sha256}" goto refuse
rem Its own output file: a program that stays behind must not keep the lock open by what it inherited.
start /wait "" "%UTILITY%" -upgrade "%PACKAGE%" "%JOB%\UpgradeInfo.xml" >>"%JOB%\output.log"
set "CODE=%ERRORLEVEL%"
goto ended

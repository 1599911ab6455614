@echo off
rem One job. Its values were checked by the sender: none holds a quote, percent sign or other special character.
setlocal
set "ROOT=C:\ProgramData\dataminer-reconciler"
set "JOB=%ROOT%\jobs\{job}"
set "GENERATION={generation}"
set "STAGED=%ROOT%\packages\{sha256}\{file}"
set "PACKAGE=%JOB%\{file}"
set "UTILITY={utility}"
set TRIES=0

:lock
set "INSIDE="
call :body >"%ROOT%\active.lock"
if defined INSIDE exit /b 0
set /a TRIES=TRIES+1
if %TRIES% geq 30 goto busy
ping -n 2 127.0.0.1 >nul
goto lock

:busy
rem The lock may be held by this very job, started twice: that one speaks for it.
if exist "%JOB%\started.txt" exit /b 0
>"%JOB%\refused.txt" echo lock
exit /b 1

:body
set "INSIDE=1"
if exist "%JOB%\started.txt" exit /b 0
if exist "%JOB%\exitcode.txt" exit /b 0
set "NEWEST="
for /f %%g in ('dir /b /ad /on "%ROOT%\generations"') do set "NEWEST=%%g"
if not "%NEWEST%"=="%GENERATION%" goto stale
>"%JOB%\started.txt" echo %GENERATION%
copy /b /y "%STAGED%" "%PACKAGE%" >"%JOB%\output.log"
if errorlevel 1 goto nocopy
certutil -hashfile "%PACKAGE%" SHA256 >"%JOB%\hash.txt"
if errorlevel 1 goto badhash
set "HASH="
for /f "usebackq skip=1 delims=" %%h in ("%JOB%\hash.txt") do if not defined HASH set "HASH=%%h"
if not defined HASH goto badhash
set "HASH=%HASH: =%"
if /i not "%HASH%"=="{sha256}" goto badhash
rem Its own output file: a program that stays behind must not keep the lock open by what it inherited.
start /wait "" "%UTILITY%" -upgrade "%PACKAGE%" "%JOB%\UpgradeInfo.xml" >>"%JOB%\output.log"
set "CODE=%ERRORLEVEL%"
>"%JOB%\exitcode.tmp" echo %CODE%
ren "%JOB%\exitcode.tmp" exitcode.txt
exit /b 0

:stale
>"%JOB%\refused.txt" echo generation
exit /b 0

:nocopy
>"%JOB%\refused.txt" echo copy
exit /b 0

:badhash
>"%JOB%\refused.txt" echo hash
exit /b 0
